"""HTTP/1.1 protocol of uvicorn, with limits for slow clients and a fast path for small requests."""

import asyncio
import functools
from collections.abc import Iterable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from vae_tf_serving.rest.application import Application, Response, headers_of
from vae_tf_serving.rest.paths import Route

HEAD_BYTES = 64 << 10
"""Maximum bytes of request line and headers."""

HEAD_SECONDS = 30.0
"""Time limit for the headers of a request, from the connection or the first byte on."""

REQUEST_SECONDS = 300.0
"""Time limit for the arrival of a whole request."""

IDLE_SECONDS = 75.0
"""Time limit of a connection between requests."""

STALL_SECONDS = 300.0
"""Time limit of a client that does not read its response."""


class BoundedProtocol(HttpToolsProtocol):
    """Serves an `Application`.

    It records since when it has waited for its client; `close_slow` closes the connections.
    """

    _head_since: float | None = None
    _request_since: float | None = None
    _stalled_since: float | None = None
    _idle_since: float | None = None
    _head_bytes = 0
    _read_bytes = 0
    _fast_path: tuple[RequestResponseCycle, Route] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._application = cast("Application", self.app)

    def connection_made(self, transport: Any) -> None:
        """Starts the time limit of the first request."""
        super().connection_made(transport)
        self._head_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Counts the bytes of the headers, and refuses too many."""
        self._read_bytes = len(data)
        if self._head_since is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_since is not None and self._head_bytes > HEAD_BYTES:
            self.send_400_response("The headers are too long.")

    def on_message_begin(self) -> None:
        """Starts the time limits of a request."""
        super().on_message_begin()
        self._idle_since = None
        self._head_since = self._request_since = self.loop.time()
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Ends the time limit of the headers, and checks their size."""
        self._head_since = None
        # The count includes bytes that came before the headers in the same read: measure exactly.
        if self._head_bytes + self._read_bytes > HEAD_BYTES and self._head_size() > HEAD_BYTES:
            raise ValueError("too long")  # the parser's caller sends 400
        super().on_headers_complete()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_message_complete(self) -> None:
        """Ends the time limit of the request, and handles it if it takes the fast path."""
        self._request_since = None
        super().on_message_complete()
        if self._fast_path is not None:
            cycle, route = self._fast_path
            self._fast_path = None
            path = cycle.scope["raw_path"].decode("latin-1")
            respond = functools.partial(self._respond, cycle)
            self._application.handle_fast_path(route, path, bytes(cycle.body), respond)

    def on_response_complete(self) -> None:
        """Continues with the next request.

        uvicorn sets a timer for each response; here `close_slow` finds idle connections too.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._idle_since = self.loop.time()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Runs the application in a task, except for requests of the fast path.

        Pipelined requests do not take the fast path, because each response would start the next
        request recursively.
        """
        alone = cycle is self.cycle and cycle.more_body and not self.flow.write_paused
        scope = cast("dict[str, Any]", cycle.scope)
        route = self._application.fast_path_route(scope) if alone else None
        if route is None:
            super()._start_asgi_task(cycle, app)
        else:
            self._fast_path = cycle, route

    def _respond(self, cycle: RequestResponseCycle, response: Response) -> None:
        """Sends a response as the cycle's `send` does, in one write."""
        if cycle.disconnected or self.transport.is_closing():
            return
        headers = [*cycle.default_headers, *headers_of(response)]
        if not cycle.keep_alive and not any(name == b"connection" for name, _ in headers):
            headers.append((b"connection", b"close"))
        lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        head = b"%b%b\r\n" % (STATUS_LINE[response[0]], lines)
        self.transport.writelines((head, response[2]))  # one system call, without a copy
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def pause_writing(self) -> None:
        """Starts the time limit of a client that does not read."""
        super().pause_writing()
        self._stalled_since = self.loop.time()

    def resume_writing(self) -> None:
        """Ends the time limit of a client that does not read."""
        super().resume_writing()
        self._stalled_since = None

    def too_slow(self, now: float) -> bool:
        """Returns whether the client has exceeded a time limit."""
        return any(
            since is not None and now - since > seconds
            for since, seconds in (
                (self._head_since, HEAD_SECONDS),
                (self._request_since, REQUEST_SECONDS),
                (self._stalled_since, STALL_SECONDS),
            )
        )

    def idle(self, now: float) -> bool:
        """Returns whether the connection has exceeded the time limit between requests."""
        return self._idle_since is not None and now - self._idle_since > IDLE_SECONDS


async def close_slow(connections: Iterable[Any]) -> None:
    """Aborts connections of slow clients, and closes idle ones, once a second without end.

    Runs as a task beside the server.
    """
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(1)
        now = loop.time()
        for connection in list(connections):
            if not isinstance(connection, BoundedProtocol):
                continue
            if connection.too_slow(now):
                connection.transport.abort()
            elif connection.idle(now):
                connection.transport.close()
