"""Collects the requests that arrive in the same turns of an event loop."""

from collections.abc import Callable, Sequence
from typing import Any

from vae_tf_serving.core.batching.task import Task

_MAX_IDLE_TURNS = 8  # turns of the loop, some microseconds each
_MAX_REQUESTS = 64

Take = Callable[[Sequence[Task]], None]
"""Runs collected tasks, in the event loop's thread."""


class EventLoopCollector:
    """Collects requests of row-wise models into batches, without a timer.

    The requests of one turn of the loop are one batch. After a batch of several requests, up to 8
    turns that bring nothing are waited for, because a request that has arrived may need a few turns
    until it is parsed. Each event loop has its own collector, used in the loop's thread only.

    Args:
        call_soon: The loop's `call_soon`: calls a function after those that are due already.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], Any]) -> None:
        self._call_soon = call_soon
        self._tasks: dict[Take, list[Task]] = {}
        self._size = 0
        self._last_size = 0  # of the previous batch
        self._seen = 0  # size at the previous turn
        self._idle_turns = 0

    def add(self, take: Take, task: Task) -> None:
        """Adds `task` to the batch that `take` will be called with.

        Args:
            take: The same function, or an equal bound method, for tasks that may share a batch.
            task: The request.
        """
        if not self._tasks:
            self._call_soon(self._turn)
        self._tasks.setdefault(take, []).append(task)
        self._size += 1

    def _turn(self) -> None:
        self._idle_turns = 0 if self._size > self._seen else self._idle_turns + 1
        self._seen = self._size
        max_idle_turns = _MAX_IDLE_TURNS if self._last_size > 1 else 0
        if self._idle_turns < max_idle_turns and self._size < _MAX_REQUESTS:
            self._call_soon(self._turn)
        else:
            self._flush()

    def _flush(self) -> None:
        collected, self._tasks = self._tasks, {}
        self._last_size, self._size, self._seen = self._size, 0, 0
        for take, tasks in collected.items():
            take(tasks)
