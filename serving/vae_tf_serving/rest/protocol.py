"""uvicorn's HTTP/1.1 protocol with bounds that keep a slow client from costing anything."""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 << 10
"""Longest request line and headers."""

HEAD_SECONDS = 30.0
"""Time for a connection's first byte up to the end of a request's headers."""

REQUEST_SECONDS = 300.0
"""Time for a whole request to arrive."""

STALL_SECONDS = 300.0
"""Time for which a client may leave an answer unread."""


class BoundedProtocol(HttpToolsProtocol):
    """Remembers since when it has been waiting for its client; `close_slow` does the rest."""

    _head_since: float | None = None
    _request_since: float | None = None
    _stalled_since: float | None = None
    _head_bytes = 0
    _read_bytes = 0

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


async def close_slow(connections: Iterable[Any]) -> None:
    """Cuts connections whose clients are too slow, for ever; run it as a task beside the server."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(1)
        now = loop.time()
        for connection in list(connections):
            if isinstance(connection, BoundedProtocol) and connection.too_slow(now):
                connection.transport.abort()
