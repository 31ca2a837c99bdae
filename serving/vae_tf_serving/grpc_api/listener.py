"""grpc.aio servers, run in a thread."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from vae_tf_serving import event_loop

logger = logging.getLogger(__name__)

_INT32_MAX = 2**31 - 1

_SERVERS = 8
"""Servers on each port, which share the connections: a grpc.aio server accepts one call at a time."""


class GrpcListener:
    """Serves gRPC handlers on addresses.

    It listens with SO_REUSEPORT, so another process could share its ports: the caller must check first
    that no process listens on them.

    Args:
        addresses: `HOST:PORT` or `unix:PATH`.
        handlers: Makes name of service -> handler, called in the running loop that serves them.
        credentials: TLS; None for a plain connection.
        channel_options: Further gRPC options, as (key, value).
        with_health: Whether to serve grpc.health.v1 as well.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        handlers: Callable[[], dict[str, grpc.GenericRpcHandler]],
        credentials: grpc.ServerCredentials | None = None,
        channel_options: Sequence[tuple[str, Any]] = (),
        with_health: bool = False,
    ) -> None:
        self._addresses = addresses
        self._handlers = handlers
        self._credentials = credentials
        self._options = [
            ("grpc.max_receive_message_length", _INT32_MAX),
            ("grpc.max_send_message_length", _INT32_MAX),
            ("grpc.so_reuseport", 1),
            *channel_options,
        ]
        self._with_health = with_health
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._grace = 0.0
        self._thread = threading.Thread(target=self._run, name="grpc", daemon=True)

    def start(self) -> None:
        """Starts the servers, and waits until they listen.

        Raises:
            OSError: An address is taken, or the key or the certificate is invalid.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise OSError(str(self._failure)) from self._failure

    def stop(self, grace: float) -> None:
        """Refuses new calls, gives current ones `grace` seconds, and ends the thread."""
        self._grace = grace
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(grace + 10)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=event_loop.factory()) as runner:
                runner.run(self._serve())
        except BaseException as error:
            self._failure = error
            if self._ready.is_set():
                logger.exception("the gRPC front end ended")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        handlers = self._handlers()
        # --grpc_channel_arguments may switch the sharing off.
        shared = dict(self._options)["grpc.so_reuseport"] != 0
        number = _SERVERS if shared else 1
        servers = [grpc.aio.server(options=self._options) for _ in range(number)]
        for server in servers:
            await self._add_services(server, handlers)
            for address in self._addresses:
                if server is servers[0] or not address.startswith("unix:"):
                    self._bind(server, address)
        for server in servers:
            await server.start()
        self._ready.set()
        await self._stop.wait()
        await asyncio.gather(*[server.stop(self._grace) for server in servers])

    def _bind(self, server: grpc.aio.Server, address: str) -> None:
        if self._credentials is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, self._credentials)

    async def _add_services(
        self, server: grpc.aio.Server, handlers: dict[str, grpc.GenericRpcHandler]
    ) -> None:
        server.add_generic_rpc_handlers(tuple(handlers.values()))
        names = list(handlers)
        if self._with_health:
            servicer = health.aio.HealthServicer()
            for name in ("", *names):
                await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
            health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
            names.append(health.SERVICE_NAME)
        reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
