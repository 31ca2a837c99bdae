"""Exact numbers of steps, whatever the number of steps of an execution."""

from collections.abc import Iterator
from itertools import islice
from typing import Any


class Batches(Iterator):
    """An iterator of batches that are in memory.

    Args:
        batches: At least one.
    """

    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches
        self._left = iter(batches)

    def __next__(self) -> Any:
        return next(self._left)


def take_exact_steps(epochs: Any) -> None:
    """Has Keras' iterator of epochs make `steps_per_epoch` steps, and not a multiple of executions.

    Keras makes whole executions, and counts the batches of the last one as if it had been whole: 20
    steps in executions of 16 are 32. Here the last one gets `Batches`.

    Args:
        epochs: `EpochIterator` of Keras, as `fit` and `evaluate` make it.
    """
    if epochs.steps_per_epoch is None or "_enumerate_iterator" in vars(epochs):
        return
    whole = epochs._enumerate_iterator

    def exact() -> Iterator[tuple[int, int, Any]]:
        steps = epochs.steps_per_epoch
        for begin, end, iterator in whole():
            if end < steps:
                yield begin, end, iterator
                continue
            epochs._steps_seen -= end + 1 - steps
            last = list(islice(iterator, steps - begin))
            # None left: the iterator, which says so to Keras.
            yield begin, steps - 1, Batches(last) if last else iterator

    epochs._enumerate_iterator = exact


def fitting_execution(steps: int | None, most: int) -> int:
    """The largest number of steps an execution that divides `steps`, and is `most` at most."""
    if steps is None:
        return most
    return next(size for size in range(min(steps, most), 0, -1) if steps % size == 0)
