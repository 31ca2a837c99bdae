"""Batching of `--enable_batching`: a queue for each signature, threads shared by all queues."""

import threading
import time
from collections import deque
from collections.abc import Hashable

from vae_tf_serving.core.batching.merging import MergeRules, RunFunction, merge_key, run_together
from vae_tf_serving.core.batching.options import BatchingOptions
from vae_tf_serving.core.batching.splitting import split_task
from vae_tf_serving.core.batching.task import Task
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import Code, StatusError


class SharedScheduler:
    """Threads that run the batches of all models, round robin over the queues.

    As TensorFlow Serving's SharedBatchScheduler.

    Args:
        threads: int. Batches that run at the same time.
    """

    def __init__(self, threads: int) -> None:
        lock = threading.RLock()  # also guards the queues
        self.changed = threading.Condition(lock)
        # A condition of its own: a `notify` of `changed` must reach a worker, not a caller of `remove`.
        self._ended = threading.Condition(lock)
        self._queues: list[BatchQueue] = []
        self._next_index = 0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batch-{i}", daemon=True)
            for i in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, queue: "BatchQueue") -> None:
        """Starts to serve `queue`."""
        with self.changed:
            self._queues.append(queue)

    def remove(self, queue: "BatchQueue") -> None:
        """Runs the waiting batches of `queue`, then stops serving it."""
        with self.changed:
            queue.closing = True
            self.changed.notify_all()
            while queue.busy():
                self._ended.wait()
            self._queues.remove(queue)

    def close(self) -> None:
        """Ends the threads; all queues must have been removed."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self.changed:
                found = self._next_batch()
                while found is None:
                    if self._closed:
                        return
                    self.changed.wait(self._seconds_until_due())
                    found = self._next_batch()
                queue, batch = found
                queue.running += 1
            queue.process(batch)
            with self.changed:
                queue.running -= 1
                if queue.closing:
                    self._ended.notify_all()
            del batch, found  # frees the arrays while the thread waits

    def _next_batch(self) -> "tuple[BatchQueue, list[Task]] | None":
        now = time.monotonic()
        for step in range(len(self._queues)):
            queue = self._queues[(self._next_index + step) % len(self._queues)]
            batch = queue.take(now)
            if batch is not None:
                self._next_index += step + 1
                return queue, batch
        return None

    def _seconds_until_due(self) -> float | None:
        due = [queue.due() for queue in self._queues]
        times = [time for time in due if time is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None


class _Batch:
    """Tasks that run together."""

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.tasks: list[Task] = []
        self.rows = 0
        self.closed = False
        self.opened = time.monotonic()


class BatchQueue:
    """Batches of one model's requests with the same names of inputs and outputs.

    Requests are merged where dtypes and inner shapes agree (with `pad_variable_length_inputs`:
    ranks), so a request of another shape does not fail the others.

    Args:
        options: The parameters.
        scheduler: Runs the batches.
        run: Computes the outputs.
        observer: Notified of requests and batches.
    """

    def __init__(
        self,
        options: BatchingOptions,
        scheduler: SharedScheduler,
        run: RunFunction,
        observer: Observer,
    ) -> None:
        self.running = 0
        self.closing = False
        self._options = options
        self._scheduler = scheduler
        self._run = run
        self._observer = observer
        self._rules = MergeRules(
            StatusError(
                Code.RESOURCE_EXHAUSTED, "Run() timeout exceeded while waiting in batching queue"
            ),
            observer,
            options.allowed_batch_sizes,
            options.pad_variable_length_inputs,
            strict=True,
        )
        self._batches: deque[_Batch] = deque()
        self._open: dict[Hashable, _Batch] = {}
        scheduler.add(self)

    def submit(self, task: Task) -> None:
        """Queues `task`, whose `rows` is set and positive.

        Raises:
            StatusError: INVALID_ARGUMENT if it is larger than a request may be, UNAVAILABLE if the
                queue is full.
        """
        options = self._options
        if task.rows > options.max_batch_size:
            raise StatusError(
                Code.INVALID_ARGUMENT,
                f"Task size {task.rows} is larger than maximum input batch size "
                f"{options.max_batch_size}",
            )
        self._observer.request_queued(task.rows)
        key = merge_key(task, options.pad_variable_length_inputs)
        with self._scheduler.changed:
            batch = self._open.get(key)
            room = options.largest_batch - batch.rows if batch else 0
            parts = 1
            if task.rows <= room:
                self._append(batch, key, task)
            elif options.enable_large_batch_splitting:
                parts = self._split(batch, key, task, room)
            else:
                self._check_room(1)
                self._append(None, key, task)
            self._scheduler.changed.notify(parts)

    def take(self, now: float) -> list[Task] | None:
        """Removes and returns the oldest batch that is due, or None. The scheduler's lock is held."""
        for batch in self._batches:
            if self._due(batch) <= now:
                self._batches.remove(batch)
                self._close(batch)
                return batch.tasks
        return None

    def due(self) -> float | None:
        """Returns the time at which the next batch is due. The scheduler's lock is held."""
        return min((self._due(batch) for batch in self._batches), default=None)

    def busy(self) -> bool:
        """Returns whether a batch waits or runs. The scheduler's lock is held."""
        return bool(self._batches or self.running)

    def process(self, batch: list[Task]) -> None:
        """Runs `batch` and completes its tasks."""
        run_together(batch, self._run, self._rules)

    def _append(self, batch: _Batch | None, key: Hashable, task: Task) -> None:
        if batch is None:
            if key in self._open:
                self._close(self._open[key])
            batch = self._open[key] = _Batch(key)
            self._batches.append(batch)
        batch.tasks.append(task)
        batch.rows += task.rows
        if batch.rows >= self._options.largest_batch:
            self._close(batch)

    def _close(self, batch: _Batch) -> None:
        batch.closed = True
        if self._open.get(batch.key) is batch:
            del self._open[batch.key]

    def _split(self, batch: _Batch | None, key: Hashable, task: Task, room: int) -> int:
        """Queues `task` in parts; returns their number."""
        largest = self._options.largest_batch
        more = -(-(task.rows - room) // largest)  # batches beyond the open one, rounded up
        self._check_room(more, task, room)
        parts = split_task(task, room, largest)
        for i, part in enumerate(parts):
            self._append(batch if i == 0 and room else None, key, part)
        return len(parts)

    def _check_room(self, more: int, task: Task | None = None, room: int = 0) -> None:
        limit, waiting = self._options.max_enqueued_batches, len(self._batches)
        if waiting + more <= limit:
            return
        full = "The batch scheduling queue to which this task was submitted is full; "
        if task is None:
            full += f"currently {waiting} batches enqueued and max_enqueued_batches is {limit}"
        else:
            largest = self._options.largest_batch
            full += (
                f"task size is {task.rows} but scheduling capacity is only "
                f"{(limit - waiting) * largest + room} (num_enqueued_batches={waiting}, "
                f"max_enqueued_batches={limit}, open_batch_size={largest - room}, "
                f"max_execution_batch_size={largest})"
            )
        raise StatusError(Code.UNAVAILABLE, full)

    def _due(self, batch: _Batch) -> float:
        if self.closing or batch.closed:
            return batch.opened
        return batch.opened + self._options.batch_timeout_micros / 1e6
