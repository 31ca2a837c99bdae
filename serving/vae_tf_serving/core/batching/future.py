"""Result of a request, set by one thread and read by others."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PENDING, _RUNNING, _CANCELLED, _DONE = range(4)

# All instances share one lock, which is held for a few instructions; a lock each dominated the
# cost of a future.
_LOCK = threading.Lock()


class ResultFuture(Generic[T]):
    """Result or error that one thread sets and others wait for.

    Has the methods of `concurrent.futures.Future` that a server needs, under the same names. It has
    no lock and no condition of its own: one is made for each request, in the event loop's thread.
    """

    __slots__ = ("_callbacks", "_error", "_result", "_state")

    def __init__(self) -> None:
        self._state = _PENDING
        self._callbacks: list[Callable[[ResultFuture[T]], Any]] = []
        self._result: Any = None
        self._error: BaseException | None = None

    def running(self) -> bool:
        """Returns whether the work has begun and has not ended."""
        return self._state == _RUNNING

    def cancelled(self) -> bool:
        """Returns whether the future was cancelled before the work began."""
        return self._state == _CANCELLED

    def done(self) -> bool:
        """Returns whether the future has a result or an error, or was cancelled."""
        return self._state >= _CANCELLED

    def start(self) -> bool:
        """Marks the work as begun; returns False if the future was cancelled."""
        with _LOCK:
            if self._state == _PENDING:
                self._state = _RUNNING
            return self._state == _RUNNING

    def cancel(self) -> bool:
        """Cancels the work; returns False if it has begun."""
        with _LOCK:
            if self._state != _PENDING:
                return self._state == _CANCELLED
            self._state = _CANCELLED
        self._run_callbacks()
        return True

    def set_result(self, result: T) -> None:
        """Sets the result; may be called once."""
        self._finish(result, None)

    def set_exception(self, error: BaseException) -> None:
        """Sets the error; may be called once."""
        self._finish(None, error)

    def add_done_callback(self, function: "Callable[[ResultFuture[T]], Any]") -> None:
        """Calls `function` with this future when it is done.

        The call is made in the thread that completes the future, or at once if it is done already.
        An exception of `function` is logged.
        """
        with _LOCK:
            if self._state < _CANCELLED:
                self._callbacks.append(function)
                return
        self._call(function)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Waits for the outcome; returns the error, or None for a success.

        Raises:
            TimeoutError: `timeout` seconds have passed.
            RuntimeError: The future was cancelled.
        """
        if self._state < _CANCELLED:
            done = threading.Event()
            self.add_done_callback(lambda _: done.set())
            if not done.wait(timeout):
                raise TimeoutError
        if self._state == _CANCELLED:
            raise RuntimeError("the request was cancelled")
        return self._error

    def result(self, timeout: float | None = None) -> T:
        """Waits for the outcome; returns the result or raises the error. See `exception`."""
        error = self.exception(timeout)
        if error is not None:
            raise error
        return self._result

    def _finish(self, result: Any, error: BaseException | None) -> None:
        with _LOCK:
            if self._state >= _CANCELLED:
                raise RuntimeError("the request has been answered or cancelled already")
            self._result, self._error, self._state = result, error, _DONE
        self._run_callbacks()

    def _run_callbacks(self) -> None:
        for function in self._callbacks:
            self._call(function)
        self._callbacks.clear()

    def _call(self, function: "Callable[[ResultFuture[T]], Any]") -> None:
        try:
            function(self)
        except Exception:  # must not end the thread that runs the models
            logger.exception("%r failed", function)
