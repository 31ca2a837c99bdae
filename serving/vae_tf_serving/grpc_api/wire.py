"""The two pieces of protobuf's wire format that a large answer is put together from."""

from functools import lru_cache

_LENGTH_DELIMITED = 2
_REMEMBERED = 4096


@lru_cache(_REMEMBERED)
def varint(value: int) -> bytes:
    """`value`, not negative, in base 128, lowest digits first."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def field(number: int, content: bytes) -> bytes:
    """A field of bytes: a string, a message or packed numbers."""
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(len(content)) + content
