"""The requests that an event loop takes in at one go."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vae_tf_serving.core.task import Task

if TYPE_CHECKING:
    from vae_tf_serving.core.row_batcher import RowBatcher


class Gathering:
    """Requests of row-wise models, until their loop has seen to everything that had arrived.

    What one turn of the loop brings is one batch then, though nobody has waited for a clock. Each
    loop has its own, and uses it in its own thread only.

    Args:
        soon: Calls a function after those that are due already: the loop's `call_soon`.
    """

    def __init__(self, soon: Callable[[Callable[[], None]], Any]) -> None:
        self._soon = soon
        self._tasks: dict[RowBatcher, list[Task]] = {}

    def add(self, batcher: "RowBatcher", task: Task) -> None:
        """`batcher` will take `task`."""
        if not self._tasks:
            self._soon(self._end)
        self._tasks.setdefault(batcher, []).append(task)

    def _end(self) -> None:
        gathered, self._tasks = self._tasks, {}
        for batcher, tasks in gathered.items():
            batcher.take(tasks)
