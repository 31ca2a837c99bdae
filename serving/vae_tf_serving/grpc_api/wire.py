"""Protobuf wire format: varints and length-delimited fields."""

from functools import lru_cache

_LENGTH_DELIMITED = 2
_CACHE_SIZE = 4096


@lru_cache(_CACHE_SIZE)
def varint(value: int) -> bytes:
    """Encodes a non-negative integer."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def field(number: int, content: bytes) -> bytes:
    """Encodes a length-delimited field: a string, a message or packed numbers."""
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(len(content)) + content
