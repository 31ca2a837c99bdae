"""Requests of a row-wise model, combined as they wait."""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from queue import SimpleQueue

from vae_tf_serving.core.batching.event_loop_collector import Gathering
from vae_tf_serving.core.batching.merging import Rules, Run, run_together
from vae_tf_serving.core.batching.task import Task, late
from vae_tf_serving.core.batching.thread_pool import queue_full
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import StatusError


class RowBatcher:
    """Runs whatever waits, as one batch where inputs and outputs agree.

    There is no timer: a lone request runs at once, and those that come meanwhile are the next
    batch. It changes no answer as long as row i of each output depends on row i of the inputs alone.

    Batches run in one thread; those that an event loop has gathered run in the loop itself if that
    is a matter of a moment, for then the way to a thread and back would be the longest part.

    Args:
        run: Computes (inputs, outputs, deadline).
        is_short: Whether the run of some tasks will take but a moment.
        observer: Told of the batches.
        max_rows: int. Rows of a batch at most. A larger request is a batch by itself.
        max_waiting: int. Requests that may wait.
    """

    def __init__(
        self,
        run: Run,
        is_short: Callable[[Sequence[Task]], bool],
        observer: Observer,
        max_rows: int,
        max_waiting: int,
    ) -> None:
        self.max_rows = max_rows
        self._run = run
        self._is_short = is_short
        self._observer = observer
        self._rules = Rules(late(), observer)
        self._max_waiting = max_waiting
        self._arrived: SimpleQueue[Task | None] = SimpleQueue()
        self._groups = _Groups(max_rows)  # the thread's own
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="row-batcher", daemon=True)
        self._thread.start()

    def submit(self, task: Task, gathering: Gathering | None = None) -> None:
        """Queues `task`, whose `rows` is set.

        Args:
            task: The request.
            gathering: Of the event loop that calls, to which it may be left to run the task.

        Raises:
            StatusError: UNAVAILABLE, if the queue is full.
        """
        self._check_room()
        self._observer.request_queued(task.rows)
        if gathering is None:
            self._arrived.put(task)
        else:
            gathering.add(self, task)

    def take(self, tasks: Sequence[Task]) -> None:
        """Runs what an event loop has gathered and calls with, or leaves it to the thread."""
        groups = _Groups(self.max_rows)
        for task in tasks:
            groups.add(task)
        while batch := groups.pop():
            if self._is_short(batch):
                run_together(batch, self._run, self._rules)
                continue
            for task in batch:
                try:
                    self._check_room()
                except StatusError as error:
                    task.fail(error)
                else:
                    self._arrived.put(task)

    def close(self) -> None:
        """Answers what waits, then ends the thread. Nothing may be submitted any more."""
        self._arrived.put(None)
        self._thread.join()

    def _check_room(self) -> None:
        if self._arrived.qsize() + len(self._groups) >= self._max_waiting:
            raise queue_full(self._max_waiting)

    def _work(self) -> None:
        while self._collect():
            batch = self._groups.pop()
            run_together(batch, self._run, self._rules)
            batch.clear()  # the thread waits without holding on to arrays

    def _collect(self) -> bool:
        """Sorts what has arrived into groups, waiting if there is nothing; False at the end."""
        if not self._groups:
            if self._closing:
                return False
            self._sort(self._arrived.get())
        for _ in range(self._arrived.qsize()):
            self._sort(self._arrived.get())
        return bool(self._groups)

    def _sort(self, task: Task | None) -> None:
        if task is None:
            self._closing = True
        else:
            self._groups.add(task)


class _Groups:
    """Tasks by what can be joined, the group that has waited longest first.

    Args:
        max_rows: int. Rows of a batch at most.
    """

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self._groups: dict[Hashable, deque[Task]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, task: Task) -> None:
        """Puts `task` last in its group."""
        self._groups.setdefault(shape_key(task), deque()).append(task)
        self._size += 1

    def pop(self) -> list[Task]:
        """The next batch; empty where nothing waits."""
        if not self._groups:
            return []
        key, tasks = next(iter(self._groups.items()))
        batch = [tasks.popleft()]
        rows = batch[0].rows
        while tasks and rows + tasks[0].rows <= self._max_rows:
            rows += tasks[0].rows
            batch.append(tasks.popleft())
        del self._groups[key]
        if tasks:
            self._groups[key] = tasks  # last in line again
        self._size -= len(batch)
        return batch


def shape_key(task: Task) -> Hashable:
    """Equal for tasks whose inputs can be joined: outputs, names, dtypes and inner shapes."""
    inputs = tuple((name, value.dtype, value.shape[1:]) for name, value in task.inputs.items())
    return task.outputs, inputs
