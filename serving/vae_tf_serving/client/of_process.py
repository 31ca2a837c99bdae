"""Objects that a forked child must not share with its parent."""

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class OfProcess(Generic[T]):
    """Holds an object that is made anew in each process that asks for it.

    After a fork, parent and child hold the same sockets: either would read the answers of the other.

    Args:
        make: Makes the object.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._owned = os.getpid(), make()
        self._abandoned: list[T] = []

    def get(self) -> T:
        """Returns the object of this process."""
        pid, made = self._owned
        if pid != os.getpid():
            # Never closed here: to close TLS or gRPC would talk to the server on the parent's sockets.
            self._abandoned.append(made)
            made = self._make()
            self._owned = os.getpid(), made
        return made
