"""A model that doubles its rows, and tasks for it."""

import threading

import numpy as np

from vae_tf_serving.core.batching.task import Task


class Doubler:
    """Doubles its rows; waits at a gate, and records the sizes of its batches."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.sizes = []
        self.started = threading.Semaphore(0)

    def __call__(self, inputs, outputs, deadline):
        self.sizes.append(len(inputs["x"]))
        self.started.release()
        assert self.gate.wait(20)
        return [2 * inputs["x"] for _ in outputs]

    def shut(self, submit):
        """Keeps one lone request running, so that all others queue."""
        self.gate.clear()
        held = submit(task(1, width=9))
        assert self.started.acquire(timeout=20)
        return held


def task(rows, width=2, value=0.0, deadline=None):
    made = Task({"x": np.full([rows, width], value, np.float32)}, ("y",), deadline)
    made.rows = rows
    return made


def check(futures, values):
    for future, value in zip(futures, values, strict=True):
        assert (future.result(20)[0] == 2 * value).all()
