"""From the worker threads of the models back to an event loop, many answers at a time."""

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from typing import TypeVar

from vae_tf_serving.core.answer import Answer
from vae_tf_serving.core.gathering import Gathering
from vae_tf_serving.core.task import late

T = TypeVar("T")


class Completions:
    """Turns `Answer`s into awaitables of one event loop.

    Does what `asyncio.wrap_future` and `asyncio.timeout` do, but wakes the loop once for all answers
    of a batch and has one timer, for the deadline that comes first.

    Args:
        loop: The loop in which the answers are awaited; it runs in the calling thread.

    Attributes:
        gathering: Gathering. Of the same loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.gathering = Gathering(loop.call_soon)
        self._thread = threading.get_ident()
        self._done: deque[tuple[asyncio.Future, Answer]] = deque()
        self._woken = False
        self._deadlines: dict[asyncio.Future, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_look = math.inf

    async def wait(self, answer: Answer[T], deadline: float | None) -> T:
        """The result of `answer`.

        Args:
            answer: Completed by any thread. Cancelled where the time is over first, or the caller is.
            deadline: `time.monotonic()` seconds; None waits for ever.

        Raises:
            StatusError: DEADLINE_EXCEEDED; or whatever the answer raises.
        """
        waiter: asyncio.Future[T] = self._loop.create_future()
        answer.add_done_callback(lambda done: self._finished(waiter, done))
        if deadline is not None:
            self._deadlines[waiter] = deadline
            if deadline < self._next_look:
                self._look_at(deadline)
        try:
            return await waiter
        finally:
            self._deadlines.pop(waiter, None)
            if not answer.done():  # nobody waits any more: not worth running if it has not begun
                answer.cancel()

    def _finished(self, waiter: asyncio.Future, answer: Answer) -> None:
        if threading.get_ident() == self._thread:
            _hand_over(waiter, answer)
            return
        self._done.append((waiter, answer))
        # Only a drain that has not begun yet may be relied on: it lowers the mark before it reads.
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop has ended, and whoever waited
                self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._woken = False
        while self._done:
            _hand_over(*self._done.popleft())

    def _look_at(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next_look = deadline
        self._timer = self._loop.call_later(max(0.0, deadline - time.monotonic()), self._look)

    def _look(self) -> None:
        """Fails what is late, and sets the timer for the next."""
        self._timer, self._next_look = None, math.inf
        now = time.monotonic()
        for waiter in [waiter for waiter, deadline in self._deadlines.items() if deadline <= now]:
            del self._deadlines[waiter]
            if not waiter.done():
                waiter.set_exception(late())
        if self._deadlines:
            self._look_at(min(self._deadlines.values()))


def _hand_over(waiter: asyncio.Future, answer: Answer) -> None:
    if waiter.done():
        return
    if answer.cancelled():
        waiter.cancel()
    elif (error := answer.exception()) is not None:
        waiter.set_exception(error)
    else:
        waiter.set_result(answer.result())
