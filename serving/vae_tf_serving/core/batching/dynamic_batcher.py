"""Dynamic batching without a timer, for row-wise models."""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from queue import SimpleQueue

from vae_tf_serving.core.batching.event_loop_collector import EventLoopCollector
from vae_tf_serving.core.batching.merging import MergeRules, RunFunction, merge_key, run_together
from vae_tf_serving.core.batching.task import Task, deadline_exceeded, queue_full
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import StatusError


class DynamicBatcher:
    """Batches the requests of a row-wise model while they wait for the previous run.

    There is no timer: a lone request runs at once, and the requests that arrive during its run are
    the next batch. Results do not change if row i of each output depends on row i of the inputs
    alone.

    Batches run in one thread. A batch of an `EventLoopCollector` runs in the event loop if its run is
    short, because a thread hop would take longer.

    Args:
        run: Computes the outputs.
        is_short: Whether the run of a batch takes less time than a thread hop.
        observer: Notified of the batches.
        max_rows: int. Rows of a batch at most. A larger request is a batch by itself.
        max_waiting: int. Requests that may wait.
    """

    def __init__(
        self,
        run: RunFunction,
        is_short: Callable[[Sequence[Task]], bool],
        observer: Observer,
        max_rows: int,
        max_waiting: int,
    ) -> None:
        self.max_rows = max_rows
        self._run = run
        self._is_short = is_short
        self._observer = observer
        self._rules = MergeRules(deadline_exceeded(), observer)
        self._max_waiting = max_waiting
        self._arrived: SimpleQueue[Task | None] = SimpleQueue()
        self._groups = _Groups(max_rows)  # used by the thread only
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="dynamic-batcher", daemon=True)
        self._thread.start()

    def submit(self, task: Task, collector: EventLoopCollector | None = None) -> None:
        """Queues `task`, whose `rows` is set.

        Args:
            task: The request.
            collector: That of the calling event loop, if there is one; `take` then gets the task.

        Raises:
            StatusError: UNAVAILABLE, if the queue is full.
        """
        self._check_room()
        self._observer.request_queued(task.rows)
        if collector is None:
            self._arrived.put(task)
        else:
            collector.add(self.take, task)

    def take(self, tasks: Sequence[Task]) -> None:
        """Runs short batches of collected tasks in the event loop; queues the others."""
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
        """Runs the waiting tasks, then ends the thread. Nothing may be submitted afterwards."""
        self._arrived.put(None)
        self._thread.join()

    def _check_room(self) -> None:
        if self._arrived.qsize() + len(self._groups) >= self._max_waiting:
            raise queue_full(self._max_waiting)

    def _work(self) -> None:
        while self._receive():
            batch = self._groups.pop()
            run_together(batch, self._run, self._rules)
            batch.clear()  # frees the arrays while the thread waits

    def _receive(self) -> bool:
        """Moves arrived tasks into groups, and waits for one if none is there; False at the end."""
        if not self._groups:
            if self._closing:
                return False
            self._add(self._arrived.get())
        for _ in range(self._arrived.qsize()):
            self._add(self._arrived.get())
        return bool(self._groups)

    def _add(self, task: Task | None) -> None:
        if task is None:
            self._closing = True
        else:
            self._groups.add(task)


class _Groups:
    """Tasks grouped by `merge_key`, served round robin.

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
        """Appends `task` to its group."""
        self._groups.setdefault(merge_key(task), deque()).append(task)
        self._size += 1

    def pop(self) -> list[Task]:
        """Removes and returns the next batch; empty if nothing waits."""
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
            self._groups[key] = tasks  # moves the group to the end of the order
        self._size -= len(batch)
        return batch
