"""The requests that an event loop takes in at one go."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vae_tf_serving.core.batching.task import Task

if TYPE_CHECKING:
    from vae_tf_serving.core.batching.dynamic_batcher import RowBatcher

_PATIENCE = 8  # turns of the loop, some microseconds each
_ENOUGH = 64  # requests


class Gathering:
    """Requests of row-wise models, until their loop has seen to everything that had arrived.

    What one turn of the loop brings is one batch then, though nobody has waited for a clock. Where
    the last batch was of several requests, more are likely on their way, and some turns that bring
    nothing are waited for: what arrives may take a few turns to become a request. Each loop has its
    own, and uses it in its own thread only.

    Args:
        soon: Calls a function after those that are due already: the loop's `call_soon`.
    """

    def __init__(self, soon: Callable[[Callable[[], None]], Any]) -> None:
        self._soon = soon
        self._tasks: dict[RowBatcher, list[Task]] = {}
        self._size = 0
        self._last_size = 0  # of the batch before
        self._seen = 0  # at the last look
        self._idle_turns = 0

    def add(self, batcher: "RowBatcher", task: Task) -> None:
        """`batcher` will take `task`."""
        if not self._tasks:
            self._soon(self._look)
        self._tasks.setdefault(batcher, []).append(task)
        self._size += 1

    def _look(self) -> None:
        self._idle_turns = 0 if self._size > self._seen else self._idle_turns + 1
        self._seen = self._size
        patience = _PATIENCE if self._last_size > 1 else 0
        if self._idle_turns < patience and self._size < _ENOUGH:
            self._soon(self._look)
        else:
            self._end()

    def _end(self) -> None:
        gathered, self._tasks = self._tasks, {}
        self._last_size, self._size, self._seen = self._size, 0, 0
        for batcher, tasks in gathered.items():
            batcher.take(tasks)
