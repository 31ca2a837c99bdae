"""Requests that run alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

from vae_tf_serving.core.batching.merging import Run
from vae_tf_serving.core.batching.task import Task
from vae_tf_serving.status import Code, StatusError


class ThreadPool:
    """Threads that run one request each, for all models, behind a bounded queue.

    Args:
        threads: int. How many requests run at the same time.
        max_waiting: int. How many more may wait.
    """

    def __init__(self, threads: int, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="run")
        self._room = threading.BoundedSemaphore(threads + max_waiting)
        self._max_waiting = max_waiting

    def submit(self, task: Task, run: Run) -> None:
        """Queues `task`; `run` will compute it.

        Raises:
            StatusError: UNAVAILABLE, if the queue is full.
        """
        if not self._room.acquire(blocking=False):
            raise queue_full(self._max_waiting)
        self._pool.submit(self._work, task, run)

    def close(self) -> None:
        """Answers what waits, then ends the threads."""
        self._pool.shutdown()

    def _work(self, task: Task, run: Run) -> None:
        try:
            if task.start():
                task.succeed(run(task.inputs, task.outputs, task.deadline))
        except Exception as error:
            task.fail(error)
        finally:
            self._room.release()


def queue_full(waiting: int) -> StatusError:
    """The answer of a full queue, where TensorFlow Serving has none to imitate."""
    return StatusError(
        Code.UNAVAILABLE, f"{waiting} requests wait already, the most allowed; try again later."
    )
