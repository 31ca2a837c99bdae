"""uvicorn's HTTP/1.1 protocol, with bounds on slow clients and a short way for small requests."""

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
"""Longest request line and headers."""

HEAD_SECONDS = 30.0
"""Time for a connection's first byte up to the end of a request's headers."""

REQUEST_SECONDS = 300.0
"""Time for a whole request to arrive."""

IDLE_SECONDS = 75.0
"""Time for which a connection is kept open between requests."""

STALL_SECONDS = 300.0
"""Time for which a client may leave an answer unread."""


class BoundedProtocol(HttpToolsProtocol):
    """Serves an `Application`.

    It remembers since when it has been waiting for its client; `close_slow` does the rest.
    """

    _head_since: float | None = None
    _request_since: float | None = None
    _stalled_since: float | None = None
    _idle_since: float | None = None
    _head_bytes = 0
    _read_bytes = 0
    _direct: tuple[RequestResponseCycle, Route] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._application = cast("Application", self.app)

    def connection_made(self, transport: Any) -> None:
        """A client connected: its first request is waited for from here."""
        super().connection_made(transport)
        self._head_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Bytes came; those of an endless head are refused."""
        self._read_bytes = len(data)
        if self._head_since is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_since is not None and self._head_bytes > HEAD_BYTES:
            self.send_400_response("The headers are too long.")

    def on_message_begin(self) -> None:
        """The parser saw the start of a request."""
        super().on_message_begin()
        self._idle_since = None
        self._head_since = self._request_since = self.loop.time()
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """The parser saw the empty line after the headers."""
        self._head_since = None
        # What came before the head in the same read is counted with it here, so look closer.
        if self._head_bytes + self._read_bytes > HEAD_BYTES and self._head_size() > HEAD_BYTES:
            raise ValueError("too long")  # the parser's caller answers 400
        super().on_headers_complete()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_message_complete(self) -> None:
        """The parser saw the end of the body."""
        self._request_since = None
        super().on_message_complete()
        if self._direct is not None:
            cycle, asked = self._direct
            self._direct = None
            path = cycle.scope["raw_path"].decode("latin-1")
            respond = functools.partial(self._respond, cycle)
            self._application.answer(asked, path, bytes(cycle.body), respond)

    def on_response_complete(self) -> None:
        """Goes on to the next request.

        uvicorn would set a timer for each answer; the sweep for slow clients finds the idle ones too.
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
        """Uvicorn would run the application in a task; a small, plain predict needs none.

        Not where requests were sent ahead: each answer would begin the next within itself.
        """
        alone = cycle is self.cycle and cycle.more_body and not self.flow.write_paused
        asked = self._application.direct(cast("dict[str, Any]", cycle.scope)) if alone else None
        if asked is None:
            super()._start_asgi_task(cycle, app)
        else:
            self._direct = cycle, asked

    def _respond(self, cycle: RequestResponseCycle, response: Response) -> None:
        """Does what a cycle's `send` does, in one write."""
        if cycle.disconnected or self.transport.is_closing():
            return
        headers = [*cycle.default_headers, *headers_of(response)]
        if not cycle.keep_alive and not any(name == b"connection" for name, _ in headers):
            headers.append((b"connection", b"close"))
        lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        head = b"%b%b\r\n" % (STATUS_LINE[response[0]], lines)
        self.transport.writelines((head, response[2]))  # joined by the system, without a copy
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def pause_writing(self) -> None:
        """The client reads more slowly than the answer is written."""
        super().pause_writing()
        self._stalled_since = self.loop.time()

    def resume_writing(self) -> None:
        """The client caught up."""
        super().resume_writing()
        self._stalled_since = None

    def too_slow(self, now: float) -> bool:
        """Whether the client has used up one of its times."""
        return any(
            since is not None and now - since > seconds
            for since, seconds in (
                (self._head_since, HEAD_SECONDS),
                (self._request_since, REQUEST_SECONDS),
                (self._stalled_since, STALL_SECONDS),
            )
        )

    def idle(self, now: float) -> bool:
        """Whether it has been open without a request for long enough."""
        return self._idle_since is not None and now - self._idle_since > IDLE_SECONDS


async def close_slow(connections: Iterable[Any]) -> None:
    """Cuts connections whose clients are too slow, and closes idle ones, for ever.

    To be run as a task beside the server.
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
