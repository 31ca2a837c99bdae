"""Limit on the total bytes of the request bodies in memory."""

from types import TracebackType
from typing import Self

_FREE_BYTES = 64 << 10
"""Bytes of each request that are not counted, so that large requests cannot block small ones."""


class MemoryLimitError(Exception):
    """The current requests hold all the bytes that are allowed."""


class MemoryLimit:
    """Limit shared by the requests of one event loop.

    Args:
        max_bytes: int. The limit.
    """

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes

    def reservation(self) -> "Reservation":
        """Makes an empty reservation for one request."""
        return Reservation(self)

    def take(self, size: int) -> None:
        """Reserves `size` bytes, or frees them if `size` is negative.

        Raises:
            MemoryLimitError: They exceed the limit.
        """
        if size > self._left:
            raise MemoryLimitError
        self._left -= size


class Reservation:
    """Bytes of one request, freed on leaving the context."""

    def __init__(self, limit: MemoryLimit) -> None:
        self._limit = limit
        self._size = 0
        self._counted = 0

    def take(self, size: int) -> None:
        """Reserves `size` more bytes. See `MemoryLimit.take`."""
        self._size += size
        counted = max(0, self._size - _FREE_BYTES) - self._counted
        if counted:
            self._limit.take(counted)
            self._counted += counted

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._counted:
            self._limit.take(-self._counted)
