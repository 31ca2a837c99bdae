"""Requests of a row-wise model, combined as they wait."""

import threading
from collections import deque
from collections.abc import Hashable
from queue import SimpleQueue

from vae_tf_serving.core.merging import Rules, Run, run_together
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.core.task import Task, late
from vae_tf_serving.core.thread_pool import queue_full


class RowBatcher:
    """One thread that runs whatever waits, as one batch where inputs and outputs agree.

    There is no timer: a lone request runs at once, and those that come meanwhile are the next
    batch. It changes no answer as long as row i of each output depends on row i of the inputs alone.

    Args:
        run: Computes (inputs, outputs, deadline).
        observer: Told of the batches.
        max_rows: int. Rows of a batch at most. A larger request is a batch by itself.
        max_waiting: int. Requests that may wait.
    """

    def __init__(self, run: Run, observer: Observer, max_rows: int, max_waiting: int) -> None:
        self.max_rows = max_rows
        self._run = run
        self._observer = observer
        self._rules = Rules(late(), observer)
        self._max_waiting = max_waiting
        self._arrived: SimpleQueue[Task | None] = SimpleQueue()
        self._groups: dict[Hashable, deque[Task]] = {}  # the thread's own, oldest group first
        self._grouped = 0
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="row-batcher", daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> None:
        """Queues `task`, whose `rows` is set.

        Raises:
            StatusError: UNAVAILABLE, if the queue is full.
        """
        if self._arrived.qsize() + self._grouped >= self._max_waiting:
            raise queue_full(self._max_waiting)
        self._observer.request_queued(task.rows)
        self._arrived.put(task)

    def close(self) -> None:
        """Answers what waits, then ends the thread. Nothing may be submitted any more."""
        self._arrived.put(None)
        self._thread.join()

    def _work(self) -> None:
        while self._collect():
            key, tasks = next(iter(self._groups.items()))
            batch = [tasks.popleft()]
            rows = batch[0].rows
            while tasks and rows + tasks[0].rows <= self.max_rows:
                rows += tasks[0].rows
                batch.append(tasks.popleft())
            del self._groups[key]
            if tasks:
                self._groups[key] = tasks  # last in line again
            self._grouped -= len(batch)
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
            return
        self._groups.setdefault(shape_key(task), deque()).append(task)
        self._grouped += 1


def shape_key(task: Task) -> Hashable:
    """Equal for tasks whose inputs can be joined: outputs, names, dtypes and inner shapes."""
    inputs = tuple((name, value.dtype, value.shape[1:]) for name, value in task.inputs.items())
    return task.outputs, inputs
