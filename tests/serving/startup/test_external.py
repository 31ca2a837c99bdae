"""The handover to the real server, of which a stand-in notes what it is given."""

import logging
import os
import subprocess
import sys

import pytest

from tests.serving import stand_in
from vae_tf_serving import app
from vae_tf_serving.startup import external

BASE = "--model_base_path=/m"


def run(path, *arguments):
    """A process of the embedded server's program, to its end: process id, exit code, log."""
    environment = os.environ | {"PATH": str(path)}
    line = [sys.executable, "-m", "vae_tf_serving", *arguments]
    process = subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True)
    log = process.communicate(timeout=120)[1]
    return process.pid, process.returncode, log


@pytest.mark.parametrize("engine", [[], ["--engine=auto"], ["--engine", external.BINARY]])
def test_the_process_becomes_the_binary(tmp_path, engine):
    notes = stand_in.write(tmp_path)
    flags = [BASE, "--port", "1", "--enable_batching", "--num_tflite_pools=2", "--log_level=info"]
    number, code, log = run(tmp_path, *flags, *engine)
    assert code == stand_in.CODE
    expected = [BASE, "--port=1", "--enable_batching", "--num_tflite_pools=2"]
    assert notes.read_text().splitlines() == [str(number), *expected]
    (warning,) = [line for line in log.splitlines() if "WARNING" in line]
    assert "listens on every address" in warning
    assert "without effect" not in log  # they have one there
    assert f"running {tmp_path / external.BINARY} {BASE} --port=1" in log


def test_a_flag_that_neither_knows_is_not_handed_over(tmp_path):
    notes = stand_in.write(tmp_path)
    _, code, log = run(tmp_path, BASE, "--prot=1")
    assert (code, log.count("\n")) == (255, 1)
    assert "the nearest is --port" in log
    assert not notes.exists()


def test_is_asked_for_and_not_there(tmp_path):
    _, code, log = run(tmp_path, BASE, f"--engine={external.BINARY}")
    assert (code, log.count("\n")) == (255, 1)
    assert "--engine=embedded" in log


@pytest.mark.parametrize("engine", ["auto", "embedded"])
def test_the_embedded_server_warns_of_flags_without_effect(monkeypatch, caplog, engine):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(app, "_run", lambda options: 0)
    with caplog.at_level(logging.WARNING):
        assert app.main([BASE, "--num_tflite_pools=2", f"--engine={engine}"]) == 0
    (record,) = caplog.records
    assert record.message.endswith("without effect here: --num_tflite_pools")
