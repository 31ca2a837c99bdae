"""`vae-tf serve`: from a model folder to the server's flags, and its exit codes."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tests.serving import stand_in
from vae_tf.cli.app import app
from vae_tf.cli.serving_package import model_flags, serving_module
from vae_tf.utils.errors import InputError
from vae_tf_serving import app as server


def serve(*arguments):
    return CliRunner().invoke(app, ["serve", *map(str, arguments)])


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models" / "digits"
    (folder / "1").mkdir(parents=True)
    return folder


@pytest.fixture
def started(monkeypatch):
    """The arguments with which the server was started; its exit code is 3."""
    found = []

    def main(arguments):
        found.append(arguments)
        return 3

    monkeypatch.setattr(server, "main", main)
    return found


def test_a_folder_becomes_flags(models, started, monkeypatch):
    flags = ["--model_name=vae", "--port=8500", "--rest_api_port=8501"]
    own = ["--port=auto", "--rest_api_timeout_in_ms", "5"]
    assert serve(models, *own).exit_code == 3
    monkeypatch.chdir(models.parent)
    assert serve("digits").exit_code == 3  # TensorFlow Serving wants it absolute
    base = f"--model_base_path={models}"
    assert started == [[base, *flags, *own], [base, *flags]]


def test_flags_alone_are_handed_on(started):
    assert serve("--model_config_file=/f", "--enable_batching").exit_code == 3
    assert started == [["--model_config_file=/f", "--enable_batching"]]


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_is_the_servers(arguments):
    result = serve(*arguments)
    assert result.exit_code == 0
    assert "--file_system_poll_wait_seconds=1" in result.stdout


def test_folders_that_hold_no_versions(models, tmp_path, started):
    (models / "1" / "saved_model.pb").touch()
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").touch()
    for folder, words in (
        (tmp_path / "absent", "There is no folder"),
        (models / "1" / "saved_model.pb", "There is no folder"),
        (models / "1", f"give the folder around it, {models}"),
        (run, f"vae-tf export {run} --to models/run"),
    ):
        result = serve(folder, "--port=auto")
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert result.stderr.startswith("error: ")
        assert words in result.stderr
        with pytest.raises(InputError):
            model_flags(folder)
    assert started == []


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--rest_port=1", "the nearest is --rest_api_port"),
        ("--port=x", "--port is a port"),
        ("second", "'second' is no flag"),
    ],
)
def test_wrong_flag(models, flag, words, monkeypatch, capsys):
    result = serve(models, flag)
    assert result.exit_code == 255
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_the_server(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "vae_tf_serving.app", None)
    with pytest.raises(InputError, match="pip install 'vae-tf\\[serve\\]'"):
        serving_module("app")
    result = serve(models)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def test_the_real_server_where_there_is_one(models, tmp_path):
    notes = stand_in.write(tmp_path)
    line = [sys.executable, "-m", "vae_tf.cli", "serve", str(models), "--enable_batching"]
    process = subprocess.run(
        line, env=os.environ | {"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == stand_in.CODE
    assert notes.read_text().splitlines()[1:] == [*model_flags(models), "--enable_batching"]
    assert "listens on every address" in process.stderr
