"""The body of a request: read within bounds, and inflated."""

import zlib
from typing import Any

LARGEST_INFLATED = 100 << 20
"""Bytes a gzip body may grow to; upstream's figure."""


class BodyTooLarge(ValueError):  # noqa: N818 - a state of the request, not a defect
    """More bytes came, or were announced, than are allowed."""


async def read(receive: Any, announced: int, largest: int) -> bytes | None:
    """The whole body; None if the client went away.

    Args:
        receive: ASGI's.
        announced: Value of Content-Length, 0 if there is none.
        largest: Bytes.

    Raises:
        BodyTooLarge: Before anything is read, where the announced length is enough to tell.
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
        return body
    parts, size = [body], len(body)
    while message["more_body"]:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message["body"])
        size += len(message["body"])
        if size > largest:
            raise BodyTooLarge
    return b"".join(parts)


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
