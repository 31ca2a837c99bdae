"""How many bytes of bodies a server holds at a time."""

from types import TracebackType
from typing import Self

_FREE = 64 << 10
"""Bytes of a request that are not counted, so that large requests cannot lock out small ones."""


class TooMuchHeld(Exception):  # noqa: N818 - a state of the server, not a defect
    """The requests under way hold as much as is allowed."""


class MemoryLimit:
    """Bytes that the requests of one event loop share.

    Args:
        most: Bytes.
    """

    def __init__(self, most: int) -> None:
        self._left = most

    def share(self) -> "Share":
        """What one request holds: nothing yet."""
        return Share(self)

    def take(self, size: int) -> None:
        """Counts `size` bytes as held, or as given back where that is negative.

        Raises:
            TooMuchHeld: They are not left.
        """
        if size > self._left:
            raise TooMuchHeld
        self._left -= size


class Share:
    """The bytes of one request; given back at the end of the `with`."""

    def __init__(self, limit: MemoryLimit) -> None:
        self._limit = limit
        self._size = 0
        self._held = 0

    def take(self, size: int) -> None:
        """See `MemoryLimit.take`."""
        self._size += size
        counted = max(0, self._size - _FREE) - self._held
        if counted:
            self._limit.take(counted)
            self._held += counted

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._held:
            self._limit.take(-self._held)
