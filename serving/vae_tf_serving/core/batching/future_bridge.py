"""Awaits results of the model threads in an event loop."""

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from vae_tf_serving.core.batching.event_loop_collector import EventLoopCollector
from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.core.batching.task import deadline_exceeded

T = TypeVar("T")


class FutureBridge:
    """Turns `ResultFuture`s into awaitables of one event loop.

    Does what `asyncio.wrap_future` and `asyncio.timeout` do, but wakes the loop once for all futures
    of a batch and has one timer, for the earliest deadline.

    Args:
        loop: The loop in which the futures are awaited; it runs in the calling thread.

    Attributes:
        collector: EventLoopCollector. Of the same loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.collector = EventLoopCollector(loop.call_soon)
        self._thread = threading.get_ident()
        self._done: deque[ResultFuture] = deque()
        self._wake_up_pending = False
        self._waiting: dict[ResultFuture, tuple[Callable[[ResultFuture], None], float]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = math.inf

    def add_done_callback(
        self,
        future: ResultFuture[T],
        deadline: float | None,
        callback: Callable[[ResultFuture[T]], None],
    ) -> None:
        """Calls `callback` once in the loop, when `future` is done or its deadline has passed.

        Args:
            future: Completed by any thread. Cancelled if the deadline passes first.
            deadline: `time.monotonic()` seconds; None for no limit.
            callback: Gets `future`, or one that failed with DEADLINE_EXCEEDED. It must not raise.
        """
        due = math.inf if deadline is None else deadline
        self._waiting[future] = callback, due
        if due < self._timer_due:
            self._set_timer(due)
        future.add_done_callback(self._on_done)

    async def wait(self, future: ResultFuture[T], deadline: float | None) -> T:
        """Waits for the result of `future`, which is cancelled if the caller is.

        Raises:
            StatusError: DEADLINE_EXCEEDED, or the error of `future`.
        """
        waiter: asyncio.Future[T] = self._loop.create_future()
        self.add_done_callback(future, deadline, lambda done: _copy_outcome(done, waiter))
        try:
            return await waiter
        finally:
            if self._waiting.pop(future, None) is not None:
                future.cancel()  # no caller is left: a run that has not begun is dropped

    def _on_done(self, future: ResultFuture) -> None:
        if threading.get_ident() == self._thread:
            self._notify(future, future)
            return
        self._done.append(future)
        # `_drain` clears the mark before it reads: a pending wake-up is sure to see this future.
        if not self._wake_up_pending:
            self._wake_up_pending = True
            with contextlib.suppress(RuntimeError):  # the loop has ended, and its callers with it
                self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._wake_up_pending = False
        while self._done:
            future = self._done.popleft()
            self._notify(future, future)

    def _notify(self, future: ResultFuture, outcome: ResultFuture) -> None:
        waiting = self._waiting.pop(future, None)
        if waiting is not None:
            waiting[0](outcome)

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._loop.call_later(max(0.0, due - time.monotonic()), self._expire)

    def _expire(self) -> None:
        """Fails the futures whose deadline has passed, and sets the timer for the next."""
        self._timer, self._timer_due = None, math.inf
        now = time.monotonic()
        for future in [future for future, (_, due) in self._waiting.items() if due <= now]:
            expired: ResultFuture = ResultFuture()
            expired.set_exception(deadline_exceeded())
            self._notify(future, expired)
            future.cancel()
        due = min((due for _, due in self._waiting.values()), default=math.inf)
        if due < self._timer_due:
            self._set_timer(due)


def _copy_outcome(future: ResultFuture, waiter: asyncio.Future) -> None:
    if waiter.done():
        return
    if future.cancelled():
        waiter.cancel()
    elif (error := future.exception()) is not None:
        waiter.set_exception(error)
    else:
        waiter.set_result(future.result())
