"""uvicorn server, run in a thread."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn

from vae_tf_serving import event_loop
from vae_tf_serving.rest.protocol import BoundedProtocol, close_slow

logger = logging.getLogger(__name__)

_BACKLOG = 2048


class RestListener:
    """Serves an ASGI application on a socket.

    Args:
        listening: A bound socket; closed by `stop`.
        application: Makes the application, called in the running loop that serves it.
    """

    def __init__(self, listening: socket.socket, application: Callable[[], Any]) -> None:
        self._socket = listening
        self._application = application
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=self._run, name="rest", daemon=True)

    def start(self) -> None:
        """Starts the server, and waits until it accepts connections."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise RuntimeError("the REST front end did not start") from self._failure

    def stop(self, grace: float) -> None:
        """Refuses new requests, gives current ones `grace` seconds, and ends the thread."""
        if self._server is not None:
            self._server.config.timeout_graceful_shutdown = max(1, round(grace))
            self._server.should_exit = True
        self._thread.join(grace + 10)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=event_loop.factory()) as runner:
                runner.run(self._serve())
        except BaseException as error:
            self._failure = error
            logger.exception("the REST front end ended")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        config = uvicorn.Config(
            self._application(),
            interface="asgi3",
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
        )
        server = self._server = uvicorn.Server(config)
        sweeper = asyncio.ensure_future(close_slow(server.server_state.connections))
        ready = asyncio.ensure_future(self._announce(server))
        try:
            await server.serve(sockets=[self._socket])
        finally:
            sweeper.cancel()
            ready.cancel()

    async def _announce(self, server: uvicorn.Server) -> None:
        while not server.started:
            await asyncio.sleep(0.005)
        self._ready.set()
