"""Embedded server: models, REST and gRPC in this process."""

import asyncio
import dataclasses
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import grpc
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from vae_tf_serving.core.batching.future_bridge import FutureBridge
from vae_tf_serving.core.config import text_protos
from vae_tf_serving.core.config.config_checks import single_model
from vae_tf_serving.core.models.manager import ModelManager
from vae_tf_serving.grpc_api import model_service, prediction_service, tls
from vae_tf_serving.grpc_api.listener import GrpcListener
from vae_tf_serving.metrics import Metrics
from vae_tf_serving.rest.application import Application
from vae_tf_serving.rest.listener import RestListener
from vae_tf_serving.startup import addresses
from vae_tf_serving.startup.flags import AUTO_PORT, Options, check
from vae_tf_serving.startup.manager_flags import channel_options, manager_options
from vae_tf_serving.startup.model_paths import check_base_paths
from vae_tf_serving.startup.start_error import StartError
from vae_tf_serving.status import StatusError

logger = logging.getLogger(__name__)

GRACE_SECONDS = 30.0
"""Time for the current requests when the server is stopped."""

_UNLOAD_SECONDS = 5.0  # for unloading, even if the requests have used up the time

_METRICS_PATH = "/monitoring/prometheus/metrics"


class Server:
    """Embedded server; also a context manager.

    It listens after every model has an available version. Unlike TensorFlow Serving it listens on
    loopback by default, and does not start if a model is missing or a port is taken.

    Args:
        options: Values of the flags.

    Attributes:
        rest_address: `HOST:PORT` after the start; None if REST is off.
        grpc_address: `HOST:PORT` after the start; None if gRPC is off.
    """

    def __init__(self, options: Options) -> None:
        self.options = check(options)
        self.rest_address: str | None = None
        self.grpc_address: str | None = None
        self._manager: ModelManager | None = None
        self._listeners: list[RestListener | GrpcListener] = []
        self._metrics: Metrics | None = None

    def start(self) -> "Server":
        """Loads the models, then listens.

        Raises:
            StartError: The server cannot start; the message is one sentence.
        """
        sockets: list[socket.socket] = []
        try:
            self._start(sockets)
        except (StatusError, tls.TlsError) as error:
            self.stop(0)
            raise StartError(str(error), getattr(error, "detail", "")) from error
        except BaseException:
            self.stop(0)
            raise
        finally:
            for reserved in sockets:
                reserved.close()
        return self

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Refuses new requests, completes the current ones, and unloads the models.

        Args:
            grace: Seconds for the current requests.
        """
        end = time.monotonic() + grace
        threads = [
            threading.Thread(target=listener.stop, args=(grace,)) for listener in self._listeners
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._listeners = []
        left = max(end - time.monotonic(), _UNLOAD_SECONDS)
        if self._manager is not None and self._manager.stop(left):
            self._manager = None

    @property
    def stopped(self) -> bool:
        """Whether all models are unloaded; a load or a run can outlast `stop`."""
        return self._manager is None

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self, sockets: list[socket.socket]) -> None:
        options = self.options
        config = self._model_config()
        metrics_path = self._read_monitoring()
        credentials = None
        if options.ssl_config_file:
            ssl_config = text_protos.ssl_config(options.ssl_config_file)
            credentials = tls.credentials(ssl_config, options.ssl_config_file)
        rest = grpc = None
        if options.rest_api_port:
            rest = addresses.reserve(options.host, options.rest_api_port, "--rest_api_port")
            sockets.append(rest)
        if options.port:
            grpc = addresses.reserve(options.host, options.port, "--port")
            sockets.append(grpc)
        check_base_paths(config)
        manager = self._manager = ModelManager(config, manager_options(options, self._metrics))
        manager.start()
        manager.wait_until_available()
        if options.model_config_file and options.model_config_file_poll_wait_seconds > 0:
            manager.poll_config(
                options.model_config_file, options.model_config_file_poll_wait_seconds
            )
        self._listen_grpc(manager, grpc, credentials)
        if rest is not None:
            sockets.remove(rest)
            self._listen_rest(manager, rest, metrics_path)

    def _model_config(self) -> ModelServerConfig:
        options = self.options
        if options.model_config_file:
            return text_protos.model_server_config(options.model_config_file)
        return single_model(options.model_name, options.model_base_path)

    def _read_monitoring(self) -> str:
        """Makes the metrics if they are enabled; returns the path of their page."""
        if not self.options.monitoring_config_file:
            return ""
        config = text_protos.monitoring_config(
            self.options.monitoring_config_file
        ).prometheus_config
        if not config.enable:
            return ""
        self._metrics = Metrics()
        return config.path or _METRICS_PATH

    def _listen_grpc(
        self, manager: ModelManager, reserved: socket.socket | None, credentials: Any
    ) -> None:
        options = self.options
        listened = [f"unix:{options.grpc_socket_path}"] if options.grpc_socket_path else []
        if reserved is not None:
            address = addresses.free(reserved, "--port")  # gRPC opens its own sockets
            listened.append(address)
        if not listened:
            return

        def handlers() -> dict[str, Any]:
            bridge = FutureBridge(asyncio.get_running_loop())
            prediction = prediction_service.PredictionService(
                manager,
                bridge,
                self._metrics,
                options.enable_serialization_as_tensor_content,
            )
            model = model_service.ModelService(manager, bridge)
            return {
                prediction_service.NAME: prediction.handler(),
                model_service.NAME: model.handler(),
            }

        listener = GrpcListener(
            listened,
            handlers,
            credentials,
            channel_options(options.grpc_channel_arguments),
            options.enable_grpc_healthcheck_service,
        )
        try:
            listener.start()
        except OSError as error:
            raise StartError(self._grpc_failure(error, listened, credentials)) from error
        self._listeners.append(listener)
        if reserved is not None:
            self.grpc_address = address
        logger.info("Running gRPC ModelServer at %s ...", ", ".join(listened))

    def _grpc_failure(self, error: OSError, listened: list[str], credentials: Any) -> str:
        if credentials is not None and not _works(credentials):
            return (
                f"gRPC does not start with the key and certificate of "
                f"{self.options.ssl_config_file}: check that they belong together and are PEM."
            )
        return f"gRPC cannot listen on {', '.join(listened)}: {error}."

    def _listen_rest(self, manager: ModelManager, reserved: socket.socket, path: str) -> None:
        options = self.options
        timeout = options.rest_api_timeout_in_ms / 1000
        address = addresses.of(reserved)
        addresses.listen(reserved, address, "--rest_api_port")
        listener = RestListener(
            reserved,
            lambda: Application(
                manager,
                timeout if timeout > 0 else None,
                options.rest_api_max_body_bytes,
                options.rest_api_enable_cors_support,
                self._metrics,
                path,
            ),
        )
        listener.start()
        self._listeners.append(listener)
        self.rest_address = address
        logger.info("Exporting HTTP/REST API at:%s ...", address)


def _works(credentials: Any) -> bool:
    """Returns whether gRPC can listen on a free port of loopback with `credentials`."""
    probe = grpc.server(ThreadPoolExecutor(1))
    try:
        probe.add_secure_port("127.0.0.1:0", credentials)
    except RuntimeError:
        return False
    finally:
        probe.stop(None)
    return True


def local(model_base_path: str, model_name: str = "default", **flags: Any) -> Server:
    """Makes a server on free ports of loopback, not started; see `Options` for `flags`.

    Example:
        with local("/models/mnist", "mnist") as server:
            print(server.rest_address)
    """
    options = Options(
        model_base_path=model_base_path,
        model_name=model_name,
        port=AUTO_PORT,
        rest_api_port=AUTO_PORT,
        engine="embedded",
    )
    return Server(dataclasses.replace(options, **flags))
