"""Thread pool for requests that are not batched."""

import threading
from concurrent.futures import ThreadPoolExecutor

from vae_tf_serving.core.batching.merging import RunFunction
from vae_tf_serving.core.batching.task import Task, queue_full


class ThreadPool:
    """Threads that run one request each, for all models, with a bounded queue.

    Args:
        threads: int. Requests that run at the same time.
        max_waiting: int. Requests that may wait.
    """

    def __init__(self, threads: int, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="run")
        self._room = threading.BoundedSemaphore(threads + max_waiting)
        self._max_waiting = max_waiting

    def submit(self, task: Task, run: RunFunction) -> None:
        """Queues `task`, to be computed by `run`.

        Raises:
            StatusError: UNAVAILABLE, if the queue is full.
        """
        if not self._room.acquire(blocking=False):
            raise queue_full(self._max_waiting)
        self._pool.submit(self._work, task, run)

    def close(self) -> None:
        """Runs the waiting requests, then ends the threads."""
        self._pool.shutdown()

    def _work(self, task: Task, run: RunFunction) -> None:
        try:
            if task.start():
                task.succeed(run(task.inputs, task.outputs, task.deadline))
        except Exception as error:
            task.fail(error)
        finally:
            self._room.release()
