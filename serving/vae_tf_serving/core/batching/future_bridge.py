"""From the worker threads of the models back to an event loop, many answers at a time."""

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from vae_tf_serving.core.batching.event_loop_collector import Gathering
from vae_tf_serving.core.batching.future import Answer
from vae_tf_serving.core.batching.task import late

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
        self._done: deque[Answer] = deque()
        self._woken = False
        self._waiting: dict[Answer, tuple[Callable[[Answer], None], float]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_look = math.inf

    def call(
        self, answer: Answer[T], deadline: float | None, heard: Callable[[Answer[T]], None]
    ) -> None:
        """Calls `heard` in the loop when `answer` is done, with `answer`, or with one that is late.

        Args:
            answer: Completed by any thread. Cancelled where the time is over first.
            deadline: `time.monotonic()` seconds; None waits for ever.
            heard: Called once. It must not raise.
        """
        due = math.inf if deadline is None else deadline
        self._waiting[answer] = heard, due
        if due < self._next_look:
            self._look_at(due)
        answer.add_done_callback(self._finished)

    async def wait(self, answer: Answer[T], deadline: float | None) -> T:
        """The result of `answer`; as `call`, and `answer` is cancelled where the caller is.

        Raises:
            StatusError: DEADLINE_EXCEEDED; or whatever the answer raises.
        """
        waiter: asyncio.Future[T] = self._loop.create_future()
        self.call(answer, deadline, lambda done: _hand_over(waiter, done))
        try:
            return await waiter
        finally:
            if self._waiting.pop(answer, None) is not None:
                answer.cancel()  # nobody waits any more: not worth running if it has not begun

    def _finished(self, answer: Answer) -> None:
        if threading.get_ident() == self._thread:
            self._hear(answer, answer)
            return
        self._done.append(answer)
        # Only a drain that has not begun yet may be relied on: it lowers the mark before it reads.
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop has ended, and whoever waited
                self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._woken = False
        while self._done:
            answer = self._done.popleft()
            self._hear(answer, answer)

    def _hear(self, answer: Answer, outcome: Answer) -> None:
        waiting = self._waiting.pop(answer, None)
        if waiting is not None:
            waiting[0](outcome)

    def _look_at(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next_look = due
        self._timer = self._loop.call_later(max(0.0, due - time.monotonic()), self._look)

    def _look(self) -> None:
        """Fails what is late, and sets the timer for the next."""
        self._timer, self._next_look = None, math.inf
        now = time.monotonic()
        for answer in [answer for answer, (_, due) in self._waiting.items() if due <= now]:
            expired: Answer = Answer()
            expired.set_exception(late())
            self._hear(answer, expired)
            answer.cancel()
        due = min((due for _, due in self._waiting.values()), default=math.inf)
        if due < self._next_look:
            self._look_at(due)


def _hand_over(waiter: asyncio.Future, answer: Answer) -> None:
    if waiter.done():
        return
    if answer.cancelled():
        waiter.cancel()
    elif (error := answer.exception()) is not None:
        waiter.set_exception(error)
    else:
        waiter.set_result(answer.result())
