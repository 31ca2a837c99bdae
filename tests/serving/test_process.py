"""The program: how it starts, why it does not, and how it ends."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from vae_tf_serving import app

GRPC_LINE = r"Running gRPC ModelServer at (\S+) \.\.\."
REST_LINE = r"Exporting HTTP/REST API at:(\S+) \.\.\."


class Process:
    """`python -m vae_tf_serving ...`; waits until it listens."""

    def __init__(self, *flags):
        line = [sys.executable, "-m", "vae_tf_serving", "--port=auto", "--rest_api_port=auto"]
        self.popen = subprocess.Popen(
            [*line, "--engine=embedded", *flags], stderr=subprocess.PIPE, text=True
        )
        self.log = []
        self.grpc = self._wait_for(GRPC_LINE)
        self.rest = f"http://{self._wait_for(REST_LINE)}"
        self._reader = threading.Thread(target=lambda: self.log.extend(self.popen.stderr))
        self._reader.start()

    def _wait_for(self, pattern):
        for line in self.popen.stderr:
            self.log.append(line)
            if match := re.search(pattern, line):
                return match[1]
        raise AssertionError("".join(self.log))

    def end(self, number=signal.SIGTERM):
        """Exit code, after all it had to say was read."""
        self.popen.send_signal(number)
        code = self.popen.wait(60)
        self._reader.join(10)
        return code

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait()


def post(url, **body):
    request = urllib.request.Request(url, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def test_sigterm_answers_what_it_has(model_folder):
    process = Process("--model_name=m", f"--model_base_path={model_folder / 'plus_two'}")
    try:
        url = f"{process.rest}/v1/models/m:predict"
        assert post(url, instances=[1.0]) == {"predictions": [4.5]}
        steps, answers = 150_000, {}

        def over_rest():
            answers["rest"] = post(url, signature_name="slow", inputs=steps)["outputs"]

        def over_grpc():
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = "m", "slow"
            request.inputs["n"].dtype = 3
            request.inputs["n"].int_val.append(steps)
            with grpc.insecure_channel(process.grpc) as channel:
                stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
                answers["grpc"] = stub.Predict(request, timeout=60).outputs["y"].int_val[0]

        threads = [threading.Thread(target=call) for call in (over_rest, over_grpc)]
        for thread in threads:
            thread.start()
        threading.Event().wait(0.5)
        assert not answers  # both are under way
        assert process.end() == 0
        for thread in threads:
            thread.join(60)
        assert answers == {"rest": steps, "grpc": steps}
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(url, timeout=5)
        assert not any("Traceback" in line for line in process.log)
    finally:
        process.kill()


def refused(capsys, *flags):
    """The sentence on stderr, after which the program ends with 255."""
    assert app.main([*flags, "--engine=embedded"]) == 255
    start = "Failed to start server. Error: "
    lines = capsys.readouterr().err.splitlines()
    (sentence,) = [line.removeprefix(start) for line in lines if line.startswith(start)]
    return sentence


@contextlib.contextmanager
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


class TestDoesNotStart:
    @pytest.fixture(autouse=True)
    def _embedded(self, embedded):
        pass

    @pytest.mark.parametrize("flag", ["--port", "--rest_api_port"])
    def test_port_taken(self, capsys, model_folder, flag):
        with taken_port() as port:
            sentence = refused(
                capsys, f"--model_base_path={model_folder / 'vae'}", f"{flag}={port}"
            )
        assert sentence == (
            f"cannot listen on 127.0.0.1:{port}: Address already in use; give another {flag}, or "
            f"{flag}=auto for a free one."
        )

    def test_two_servers_on_one_grpc_port(self, capsys, model_folder, server):
        port = server.grpc.rpartition(":")[2]
        base_path = f"--model_base_path={model_folder / 'vae'}"
        assert "Address already in use" in refused(capsys, base_path, f"--port={port}")

    def test_host_is_no_address(self, capsys, model_folder):
        flags = f"--model_base_path={model_folder / 'vae'}", "--host=256.1.1.1"
        assert refused(capsys, *flags).startswith("--host=256.1.1.1 is no address: ")

    def test_no_model(self, capsys, tmp_path):
        flags = "--port=auto", "--model_name=m"
        missing = tmp_path / "missing"
        sentence = refused(capsys, *flags, f"--model_base_path={missing}")
        assert sentence.startswith(f"model m: the base path {missing} cannot be read (No such")
        sentence = refused(capsys, *flags, f"--model_base_path={tmp_path}")
        assert sentence.startswith(f"model m: no version to serve in {tmp_path} (versions found: ")
        (tmp_path / "1").mkdir()
        sentence = refused(capsys, *flags, f"--model_base_path={tmp_path}")
        assert (
            sentence == f"model m: {tmp_path / '1'} is no SavedModel, it holds no saved_model.pb."
        )

    def test_broken_model(self, capsys, tmp_path):
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "saved_model.pb").write_bytes(b"junk")
        flags = "--max_num_load_retries=0", f"--model_base_path={tmp_path}", "--port=auto"
        sentence = refused(capsys, *flags)
        assert sentence.startswith("UNKNOWN: 1 servable(s) did not become available: ")

    def test_relative_path(self, capsys):
        sentence = refused(capsys, "--model_base_path=lm", "--port=auto")
        assert sentence == (
            "INVALID_ARGUMENT: Expected model default to have an absolute path or URI; got "
            "base_path()=lm"
        )

    @pytest.mark.parametrize(
        ("flag", "kind"),
        [
            ("model_config_file", "ModelServerConfig"),
            ("monitoring_config_file", "MonitoringConfig"),
            ("batching_parameters_file", "BatchingParameters"),
            ("ssl_config_file", "SSLConfig"),
        ],
    )
    def test_file_that_does_not_parse(self, capsys, tmp_path, model_folder, flag, kind):
        path = tmp_path / "a.config"
        path.write_text("\n\n  oops: 1")
        flags = f"--model_base_path={model_folder / 'vae'}", "--enable_batching", "--port=auto"
        assert app.main([*flags, f"--{flag}={path}"]) == 255
        text = capsys.readouterr().err
        assert f"Error parsing text-format tensorflow.serving.{kind}: 3:3: " in text
        assert f"Invalid protobuf file: '{path}' (line 3, column 3: " in text
        assert app.main([*flags, f"--{flag}={path}.none"]) == 255
        assert f"NOT_FOUND: {path}.none; No such file or directory" in capsys.readouterr().err
