"""What a request will be answered with."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PENDING, _RUNNING, _CANCELLED, _DONE = range(4)

# One for all: it is held for a few instructions, and a lock of its own would be the dearest part of
# an answer.
_LOCK = threading.Lock()


class Answer(Generic[T]):
    """A result or an error that one thread sets and others wait for.

    The part of `concurrent.futures.Future` that a server needs, under the same names, without a
    lock and a condition of its own: a request makes one, in the thread where time is shortest.
    """

    __slots__ = ("_callbacks", "_error", "_result", "_state")

    def __init__(self) -> None:
        self._state = _PENDING
        self._callbacks: list[Callable[[Answer[T]], Any]] = []
        self._result: Any = None
        self._error: BaseException | None = None

    def running(self) -> bool:
        """Whether work on it has begun and has not ended."""
        return self._state == _RUNNING

    def cancelled(self) -> bool:
        """Whether nobody wants it any more."""
        return self._state == _CANCELLED

    def done(self) -> bool:
        """Whether it is there, or cancelled."""
        return self._state >= _CANCELLED

    def start(self) -> bool:
        """Begins the work; False where it has been cancelled."""
        with _LOCK:
            if self._state == _PENDING:
                self._state = _RUNNING
            return self._state == _RUNNING

    def cancel(self) -> bool:
        """Makes the work needless; False where it has begun."""
        with _LOCK:
            if self._state != _PENDING:
                return self._state == _CANCELLED
            self._state = _CANCELLED
        self._call_back()
        return True

    def set_result(self, result: T) -> None:
        """Succeeds, once."""
        self._finish(result, None)

    def set_exception(self, error: BaseException) -> None:
        """Fails, once."""
        self._finish(None, error)

    def add_done_callback(self, function: "Callable[[Answer[T]], Any]") -> None:
        """Calls `function` with the answer in the thread that completes it, or now if it is done.

        What `function` raises is logged.
        """
        with _LOCK:
            if self._state < _CANCELLED:
                self._callbacks.append(function)
                return
        self._call(function)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The error, None for a success. Waits for either.

        Raises:
            TimeoutError: `timeout` seconds have passed.
            RuntimeError: It was cancelled.
        """
        if self._state < _CANCELLED:
            there = threading.Event()
            self.add_done_callback(lambda _: there.set())
            if not there.wait(timeout):
                raise TimeoutError
        if self._state == _CANCELLED:
            raise RuntimeError("the request was cancelled")
        return self._error

    def result(self, timeout: float | None = None) -> T:
        """The result; raises the error. See `exception`."""
        error = self.exception(timeout)
        if error is not None:
            raise error
        return self._result

    def _finish(self, result: Any, error: BaseException | None) -> None:
        with _LOCK:
            if self._state >= _CANCELLED:
                raise RuntimeError("the request has been answered or cancelled already")
            self._result, self._error, self._state = result, error, _DONE
        self._call_back()

    def _call_back(self) -> None:
        for function in self._callbacks:
            self._call(function)
        self._callbacks.clear()

    def _call(self, function: "Callable[[Answer[T]], Any]") -> None:
        try:
            function(self)
        except Exception:  # its fault is not that of the thread that runs the models
            logger.exception("%r failed", function)
