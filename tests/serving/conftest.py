"""The protocol suite runs against the embedded server, or against any other:

`pytest tests/serving --server-rest http://HOST:PORT --server-grpc HOST:PORT`

where that server serves the models that `python -m tests.serving.small_models FOLDER` writes. What
needs a server of its own to start, stop or look into is skipped then.
"""

import dataclasses
import logging
import time

import grpc
import httpx
import pytest


def pytest_addoption(parser):
    group = parser.getgroup("serving")
    group.addoption("--server-rest", help="base URL of a running server's REST API")
    group.addoption("--server-grpc", help="HOST:PORT of its gRPC API")


@dataclasses.dataclass
class Addresses:
    rest: str  # http://HOST:PORT
    grpc: str  # HOST:PORT
    embedded: bool


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    from tests.serving import small_models

    return small_models.write(tmp_path_factory.mktemp("serving"))


@pytest.fixture(scope="session")
def server(request):
    rest = request.config.getoption("--server-rest", default=None)
    target = request.config.getoption("--server-grpc", default=None)
    if rest or target:
        yield Addresses((rest or "").rstrip("/"), target or "", False)
        return
    from vae_tf_serving.server import Server
    from vae_tf_serving.startup.flags import AUTO_PORT, Options

    folder = request.getfixturevalue("model_folder")
    options = Options(
        port=AUTO_PORT,
        rest_api_port=AUTO_PORT,
        model_config_file=str(folder / "models.config"),
        monitoring_config_file=str(folder / "monitoring.config"),
        allow_version_labels_for_unavailable_models=True,
        enable_grpc_healthcheck_service=True,
        rest_api_timeout_in_ms=5000,
    )
    with Server(options) as running:
        rest = f"http://{running.rest_address}"
        _wait_for_versions(f"{rest}/v1/models/plus_two", 2)
        yield Addresses(rest, running.grpc_address, True)


def _wait_for_versions(model, number):
    """A server is up when each model has one version; the suite is about all of them."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        versions = httpx.get(model).json()["model_version_status"]
        if [version["state"] for version in versions] == ["AVAILABLE"] * number:
            return
        time.sleep(0.1)
    raise AssertionError(versions)


@pytest.fixture(scope="session")
def embedded(server):
    """Skips what looks into the embedded server when another one is tested."""
    if not server.embedded:
        pytest.skip("a server that the suite did not start")
    return server


@pytest.fixture
def no_errors_logged(server):
    """Fails a test during which the embedded server logged an error, such as a traceback."""
    records = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = records.append
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    assert [record.getMessage() for record in records] == []


@pytest.fixture(scope="session")
def rest(server):
    if not server.rest:
        pytest.skip("no --server-rest")
    with httpx.Client(base_url=server.rest, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def channel(server):
    if not server.grpc:
        pytest.skip("no --server-grpc")
    limits = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(server.grpc, limits) as open_channel:
        yield open_channel


@pytest.fixture(scope="session")
def prediction(channel):
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="session")
def models(channel):
    from tensorflow_serving.apis import model_service_pb2_grpc

    return model_service_pb2_grpc.ModelServiceStub(channel)
