"""Start of the server's process, failures to start, and its end."""

import contextlib
import json
import signal
import socket
import threading
import time
import urllib.request

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.serving.grpc_api.test_tls import certificate, config, pem
from tests.serving.process.server_process import Process
from vae_tf_serving import app


def post(url, **body):
    request = urllib.request.Request(url, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def slow_request(steps):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "m", "slow"
    request.inputs["n"].dtype = 3
    request.inputs["n"].int_val.append(steps)
    return request


def steps_of(seconds, url):
    """How many steps of the slow signature take that long here."""
    tried = 20_000
    post(url, signature_name="slow", inputs=tried)
    start = time.perf_counter()
    post(url, signature_name="slow", inputs=tried)
    return int(tried * seconds / (time.perf_counter() - start))


def test_sigterm_answers_what_it_has(model_folder):
    process = Process("--model_name=m", f"--model_base_path={model_folder / 'plus_two'}")
    try:
        url = f"{process.rest}/v1/models/m:predict"
        assert post(url, instances=[1.0]) == {"predictions": [4.5]}
        steps, answers = steps_of(2.0, url), {}

        def over_rest():
            answers["rest"] = post(url, signature_name="slow", inputs=steps)["outputs"]

        def over_grpc():
            with grpc.insecure_channel(process.grpc) as channel:
                stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
                answer = stub.Predict(slow_request(steps), timeout=60)
                answers["grpc"] = answer.outputs["y"].int_val[0]

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


IMPATIENT = """
import sys
from vae_tf_serving import app, server
server._UNLOAD_SECONDS = 1.0
server.Server.stop.__defaults__ = (1.0,)
sys.exit(app.main(sys.argv[1:]))
"""


def test_sigint_ends_it_whatever_runs(model_folder):
    """A request without a deadline, whose run nothing can interrupt."""
    base_path = f"--model_base_path={model_folder / 'plus_two'}"
    process = Process("--model_name=m", base_path, program=("-c", IMPATIENT))
    try:
        with grpc.insecure_channel(process.grpc) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            answer = stub.Predict.future(slow_request(2_000_000_000))
            threading.Event().wait(0.5)
            started = time.monotonic()
            assert process.end(signal.SIGINT) == 0
            assert time.monotonic() - started < 15
            assert answer.exception(10) is not None
    finally:
        process.kill()


def test_sigterm_while_a_model_loads(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"junk")
    process = Process(f"--model_base_path={tmp_path}", until="Trying again in 60 s")
    try:
        said = len(process.log)
        started = time.monotonic()
        assert process.end(signal.SIGTERM) == 0
        assert time.monotonic() - started < 10
        assert process.log[said:] == []
    finally:
        process.kill()


def refused(capsys, caplog, *flags):
    """The one sentence on stderr, after which the program ends with 255."""
    caplog.clear()
    assert app.main([*flags, "--engine=embedded"]) == 255
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "still in use" not in caplog.text
    return sentence.removeprefix("Failed to start server. Error: ")


@contextlib.contextmanager
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


class TestDoesNotStart:
    @pytest.fixture(autouse=True)
    def _embedded(self, embedded):
        pass

    @pytest.fixture
    def tls_flag(self, tmp_path):
        def tls_flag(belong_together=True):
            cert, key = certificate("localhost")
            if not belong_together:
                _, key = certificate("localhost")
            path = tmp_path / "ssl.config"
            path.write_text(config(server_key=pem(key), server_cert=pem(cert)))
            return f"--ssl_config_file={path}"

        return tls_flag

    @pytest.mark.parametrize("flag", ["--port", "--rest_api_port"])
    def test_port_taken(self, capsys, caplog, model_folder, flag):
        with taken_port() as port:
            sentence = refused(
                capsys, caplog, f"--model_base_path={model_folder / 'vae'}", f"{flag}={port}"
            )
        assert sentence == (
            f"cannot listen on 127.0.0.1:{port}: Address already in use; give another {flag}, or "
            f"{flag}=auto for a free one."
        )

    def test_two_servers_on_one_grpc_port(self, capsys, caplog, model_folder, server):
        port = server.grpc.rpartition(":")[2]
        base_path = f"--model_base_path={model_folder / 'vae'}"
        assert "Address already in use" in refused(capsys, caplog, base_path, f"--port={port}")

    def test_host_is_no_address(self, capsys, caplog, model_folder):
        flags = f"--model_base_path={model_folder / 'vae'}", "--host=256.1.1.1"
        assert refused(capsys, caplog, *flags).startswith("--host=256.1.1.1 is no address: ")

    def test_no_model(self, capsys, caplog, tmp_path):
        flags = "--port=auto", "--model_name=m"
        missing = tmp_path / "missing"
        sentence = refused(capsys, caplog, *flags, f"--model_base_path={missing}")
        assert sentence.startswith(f"model m: the base path {missing} cannot be read (No such")
        sentence = refused(capsys, caplog, *flags, f"--model_base_path={tmp_path}")
        assert sentence.startswith(f"model m: no version to serve in {tmp_path} (versions found: ")
        (tmp_path / "1").mkdir()
        sentence = refused(capsys, caplog, *flags, f"--model_base_path={tmp_path}")
        assert (
            sentence == f"model m: {tmp_path / '1'} is no SavedModel, it holds no saved_model.pb."
        )

    def test_broken_model(self, capsys, caplog, tmp_path):
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "saved_model.pb").write_bytes(b"junk")
        flags = "--max_num_load_retries=0", f"--model_base_path={tmp_path}", "--port=auto"
        sentence = refused(capsys, caplog, *flags)
        assert sentence.startswith("UNKNOWN: 1 servable(s) did not become available: ")

    def test_remote_path(self, capsys, caplog):
        assert refused(capsys, caplog, "--model_base_path=gs://bucket/m", "--port=auto") == (
            "model default: remote paths such as gs://bucket/m are not covered; copy the folder to "
            "this machine and name its absolute path."
        )

    def test_key_of_another_certificate(self, capsys, caplog, tls_flag, model_folder):
        flags = tls_flag(belong_together=False), f"--model_base_path={model_folder / 'vae'}"
        sentence = refused(capsys, caplog, *flags, "--port=auto")
        assert sentence.startswith("gRPC does not start with the key and certificate of ")

    def test_socket_that_cannot_be_made(self, capsys, caplog, tls_flag, model_folder, tmp_path):
        base_path = f"--model_base_path={model_folder / 'vae'}"
        flags = base_path, f"--grpc_socket_path={tmp_path / 'missing' / 'socket'}", "--port=0"
        for tls in ((), (tls_flag(),)):
            sentence = refused(capsys, caplog, *flags, *tls)
            assert sentence.startswith(f"gRPC cannot listen on unix:{tmp_path}/missing/socket: ")

    def test_relative_path(self, capsys, caplog):
        sentence = refused(capsys, caplog, "--model_base_path=lm", "--port=auto")
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
