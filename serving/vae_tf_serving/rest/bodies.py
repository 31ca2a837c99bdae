"""Reads and decompresses the body of a request, within limits."""

import zlib
from typing import Any

from vae_tf_serving.rest.memory_limit import Reservation

MAX_INFLATED_BYTES = 100 << 20
"""Maximum bytes of a decompressed body, that of upstream."""

_MAX_RATIO = 1032  # of deflate


class BodyTooLargeError(ValueError):
    """The body, or its Content-Length, exceeds the limit."""


async def read(
    receive: Any, content_length: int, max_bytes: int, reservation: Reservation
) -> bytes | None:
    """Reads the whole body; returns None if the client disconnects.

    Args:
        receive: The ASGI function.
        content_length: Value of Content-Length, 0 if there is none.
        max_bytes: Maximum size.
        reservation: Counts the received bytes.

    Raises:
        BodyTooLargeError: Before anything is read, if Content-Length exceeds the limit.
        MemoryLimitError: The bodies of all requests exceed their limit.
    """
    if content_length > max_bytes:
        raise BodyTooLargeError
    message = await receive()
    if message["type"] != "http.request":
        return None
    body: bytes = message["body"]
    if not message["more_body"]:
        if len(body) > max_bytes:
            raise BodyTooLargeError
        reservation.take(len(body))
        return body
    reservation.take(len(body))
    parts, size = [body], len(body)
    while message["more_body"]:
        message = await receive()
        if message["type"] != "http.request":
            return None
        reservation.take(len(message["body"]))
        parts.append(message["body"])
        size += len(message["body"])
        if size > max_bytes:
            raise BodyTooLargeError
    return b"".join(parts)


def max_inflated(body: bytes) -> int:
    """Returns the maximum size of `inflate(body)`."""
    return min(MAX_INFLATED_BYTES, _MAX_RATIO * len(body))


def inflate(body: bytes) -> bytes:
    """Decompresses gzip; empty if the body is not gzip, is truncated, or exceeds the limit."""
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(body, MAX_INFLATED_BYTES + 1)
    except zlib.error:
        return b""
    if not inflater.eof or len(inflated) > MAX_INFLATED_BYTES:
        return b""
    return inflated
