"""Splits a large request into several small ones."""

import threading

import numpy as np

from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.core.batching.task import Task, Values


def split_task(task: Task, first: int, largest: int) -> list[Task]:
    """Splits `task` into parts; it is done when all of them are.

    Args:
        task: A task with `rows` set.
        first: Rows of the first part; 0 for a first part of `largest` rows.
        largest: Rows of every other part but the last.

    Returns:
        The parts. The first error of a part is the task's. The task can no longer be cancelled.
    """
    starts = list(range(first, task.rows, largest))
    if first:
        starts.insert(0, 0)
    parts = []
    for start, end in zip(starts, [*starts[1:], task.rows], strict=True):
        inputs = {name: value[start:end] for name, value in task.inputs.items()}
        part = Task(inputs, task.outputs, task.deadline)
        part.rows, part.queued = end - start, task.queued
        parts.append(part)
    if task.start():
        _JoinResults(task, parts)
    else:
        for part in parts:
            part.future.cancel()
    return parts


class _JoinResults:
    """Completes a task when the last of its parts is done."""

    def __init__(self, task: Task, parts: list[Task]) -> None:
        self._task = task
        self._parts = parts
        self._unfinished = len(parts)
        self._lock = threading.Lock()
        for part in parts:
            part.future.add_done_callback(self._part_done)

    def _part_done(self, _: ResultFuture[Values]) -> None:
        with self._lock:
            self._unfinished -= 1
            if self._unfinished:
                return
        errors = (part.future.exception() for part in self._parts)
        error = next((error for error in errors if error is not None), None)
        if error is not None:
            self._task.fail(error)
            return
        outputs = zip(*(part.future.result() for part in self._parts), strict=True)
        self._task.succeed([np.concatenate(values) for values in outputs])
