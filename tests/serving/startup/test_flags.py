"""The command line."""

import logging
import sys

import pytest

from vae_tf_serving import app
from vae_tf_serving.startup import external, flags
from vae_tf_serving.startup.flags import AUTO_PORT, FlagError, Options, parse

BASE = "--model_base_path=/m"


def test_defaults_are_upstreams():
    assert parse([BASE]) == Options(model_base_path="/m")
    options = Options()
    assert (options.port, options.rest_api_port, options.model_name) == (8500, 0, "default")
    assert (options.max_num_load_retries, options.load_retry_interval_micros) == (5, 60_000_000)
    assert (options.rest_api_timeout_in_ms, options.file_system_poll_wait_seconds) == (30000, 1)


def test_ways_to_write_a_flag():
    options = parse(
        ["--model_base_path", "/m=1", "--port=1", "--port", "2", "--enable_batching",
         "--enable_model_warmup=false", "--rest_api_port=auto", "--rest_api_timeout_in_ms", "-1"]
    )  # fmt: skip
    assert options.model_base_path == "/m=1"
    assert (options.port, options.rest_api_port) == (2, AUTO_PORT)
    assert (options.enable_batching, options.enable_model_warmup) == (True, False)
    assert options.rest_api_timeout_in_ms == -1
    assert parse([BASE, "--enable_cors_support"]).rest_api_enable_cors_support


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model_base_pth=/m"], "there is no flag --model_base_pth; the nearest is --model_base_path"),
        (["--rest_port=1"], "there is no flag --rest_port; the nearest is --rest_api_port"),
        (["-port=1"], "'-port=1' is no flag"),
        ([BASE, "x"], "'x' is no flag"),
        ([BASE, "--port"], "--port needs a value"),
        ([BASE, "--port=x"], "--port is a port from 0 to 65535 or auto, not 'x'"),
        ([BASE, "--port=65536"], "--port is a port"),
        ([BASE, "--num_load_threads=two"], "--num_load_threads is a whole number, not 'two'"),
        ([BASE, "--enable_batching=maybe"], "--enable_batching is true or false, not 'maybe'"),
        ([BASE, "--engine=fast"], "--engine is one of auto, embedded, tensorflow_model_server"),
        ([], "no model is named"),
        ([BASE, "--batching_parameters_file=f"], "needs --enable_batching"),
        ([BASE, "--port=0"], "there is nothing to listen on"),
        ([BASE, "--rest_api_port=8500"], "--rest_api_port cannot be the same as --port"),
    ],
)  # fmt: skip
def test_refused(arguments, message, capsys):
    with pytest.raises(FlagError) as caught:
        parse(arguments)
    assert message in str(caught.value)
    assert app.main(arguments) == 255
    assert capsys.readouterr().err.count("\n") == 1


def test_flags_without_effect_are_warned_of_once(caplog):
    with caplog.at_level(logging.WARNING):
        flags.warn_of_ignored(
            [BASE, "--use_alts_credentials", "--num_tflite_pools=2", "--num_tflite_pools", "3"]
        )
    (record,) = caplog.records
    assert record.message.endswith("here: --num_tflite_pools, --use_alts_credentials")


def test_threads_that_unload_are_not_counted():
    assert parse([BASE, "--num_unload_threads=2"]) == Options(model_base_path="/m")
    assert "num_unload_threads" in flags.NOT_COVERED


def test_help_and_version_import_no_tensorflow(capsys):
    assert app.main(["--help"]) == 0
    text = capsys.readouterr().out
    for name in (*flags.Options.__dataclass_fields__, *flags.NOT_COVERED):
        assert name in text
    assert app.main(["--version"]) == 0
    assert "TensorFlow Library: 2." in capsys.readouterr().out


class TestExternal:
    def test_is_not_there(self, monkeypatch):
        monkeypatch.setenv("PATH", "/nowhere")
        assert external.find("auto") is None
        with pytest.raises(FlagError, match="no tensorflow_model_server on the PATH"):
            external.find("tensorflow_model_server")

    def test_gets_every_flag_it_knows(self, tmp_path, monkeypatch):
        binary = tmp_path / external.BINARY
        binary.write_text(f"#!{sys.executable}\n")
        binary.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert external.find("auto") == str(binary)
        assert external.find("embedded") is None
        arguments = [BASE, "--host", "::", "--engine=auto", "--port", "1", "--enable_batching"]
        assert external.command(str(binary), arguments) == [
            str(binary), BASE, "--port=1", "--enable_batching"
        ]  # fmt: skip
        with pytest.raises(FlagError, match="give --port a number"):
            external.command(str(binary), ["--port=auto"])
