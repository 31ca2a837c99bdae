"""The body of a request: read within bounds, and inflated."""

import zlib
from typing import Any

from vae_tf_serving.rest.memory_limit import Share

LARGEST_INFLATED = 100 << 20
"""Bytes a gzip body may grow to; upstream's figure."""

_LARGEST_RATIO = 1032  # of the bytes that deflate makes of a byte


class BodyTooLarge(ValueError):  # noqa: N818 - a state of the request, not a defect
    """More bytes came, or were announced, than are allowed."""


async def read(receive: Any, announced: int, largest: int, share: Share) -> bytes | None:
    """The whole body; None if the client went away.

    Args:
        receive: ASGI's.
        announced: Value of Content-Length, 0 if there is none.
        largest: Bytes.
        share: Counts what has come.

    Raises:
        BodyTooLarge: Before anything is read, where the announced length is enough to tell.
        TooMuchHeld: Other requests leave no room for it.
    """
    if announced > largest:
        raise BodyTooLarge
    message = await receive()
    if message["type"] != "http.request":
        return None
    body: bytes = message["body"]
    if not message["more_body"]:
        if len(body) > largest:
            raise BodyTooLarge
        share.take(len(body))
        return body
    share.take(len(body))
    parts, size = [body], len(body)
    while message["more_body"]:
        message = await receive()
        if message["type"] != "http.request":
            return None
        share.take(len(message["body"]))
        parts.append(message["body"])
        size += len(message["body"])
        if size > largest:
            raise BodyTooLarge
    return b"".join(parts)


def most_inflated(body: bytes) -> int:
    """Bytes that `inflate` may make of `body`."""
    return min(LARGEST_INFLATED, _LARGEST_RATIO * len(body))


def inflate(body: bytes) -> bytes:
    """Undoes gzip; empty for what is not gzip, is cut off, or grows beyond the bound."""
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(body, LARGEST_INFLATED + 1)
    except zlib.error:
        return b""
    if not inflater.eof or len(inflated) > LARGEST_INFLATED:
        return b""
    return inflated
