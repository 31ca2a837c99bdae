"""From the worker threads of the models back to an event loop, many answers at a time."""

import asyncio
import concurrent.futures
from collections import deque
from typing import TypeVar

from vae_tf_serving.core.task import late

T = TypeVar("T")


class Completions:
    """Turns `concurrent.futures.Future`s into awaitables of one event loop.

    Does what `asyncio.wrap_future` does, but wakes the loop once for all answers of a batch, where
    that wakes it once for each.

    Args:
        loop: The loop in which the answers are awaited.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._done: deque[tuple[asyncio.Future, concurrent.futures.Future]] = deque()
        self._woken = False

    async def wait(self, future: "concurrent.futures.Future[T]", timeout: float | None) -> T:
        """The result of `future`.

        Args:
            future: Completed by any thread. Cancelled where the time is over first, or the caller is.
            timeout: Seconds; None waits for ever.

        Raises:
            StatusError: DEADLINE_EXCEEDED; or whatever the future raises.
        """
        answer: asyncio.Future[T] = self._loop.create_future()
        future.add_done_callback(lambda done: self._finished(answer, done))
        timer = None
        if timeout is not None:
            timer = self._loop.call_later(timeout, self._expire, answer)
        try:
            return await answer
        finally:
            if timer is not None:
                timer.cancel()
            if not future.done():  # nobody waits any more: not worth running if it has not begun
                future.cancel()

    def _finished(self, answer: asyncio.Future, done: concurrent.futures.Future) -> None:
        self._done.append((answer, done))
        # Only a drain that has not begun yet may be relied on: it lowers the mark before it reads.
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._woken = False
        while self._done:
            answer, done = self._done.popleft()
            if answer.done():
                continue
            if done.cancelled():
                answer.cancel()
            elif (error := done.exception()) is not None:
                answer.set_exception(error)
            else:
                answer.set_result(done.result())

    @staticmethod
    def _expire(answer: asyncio.Future) -> None:
        if not answer.done():
            answer.set_exception(late())
