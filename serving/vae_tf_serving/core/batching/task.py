"""Request in a queue, and its deadline."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.status import Code, StatusError

Values = list[np.ndarray]


class Task:
    """Inputs, names of the outputs, and the future of the result.

    Args:
        inputs: Tensor name -> value.
        outputs: Names of the tensors to compute.
        deadline: `time.monotonic()` seconds after which the result is not wanted; None for no limit.
        finish: Converts the computed values to the result, in the thread that computed them.
            Defaults to the values themselves.

    Attributes:
        future: ResultFuture. The result.
        rows: int. Size of the inputs' first dimension; 0 until it is set.
        queued: float. `time.monotonic()` at construction.
    """

    __slots__ = ("deadline", "finish", "future", "inputs", "outputs", "queued", "rows")

    def __init__(
        self,
        inputs: dict[str, np.ndarray],
        outputs: tuple[str, ...],
        deadline: float | None = None,
        finish: Callable[[Values], Any] | None = None,
    ) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.deadline = deadline
        self.finish = finish
        self.future: ResultFuture[Any] = ResultFuture()
        self.rows = 0
        self.queued = time.monotonic()

    def start(self) -> bool:
        """Marks the task as running; returns False if the caller has cancelled it."""
        return self.future.start()

    def succeed(self, values: Values) -> None:
        """Sets the result that `finish` makes of `values`, or its error."""
        try:
            result = values if self.finish is None else self.finish(values)
        except Exception as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Sets an error; a StatusError is copied, since one error may end many tasks."""
        if isinstance(error, StatusError):
            error = StatusError(error.code, error.message)
        self.future.set_exception(error)


def deadline_after(timeout: float | None) -> float | None:
    """Returns `time.monotonic()` in `timeout` seconds; None for no limit."""
    return None if timeout is None else time.monotonic() + timeout


def deadline_exceeded() -> StatusError:
    """Error of a request whose deadline has passed."""
    return StatusError(Code.DEADLINE_EXCEEDED, "Timed out waiting for notification")


def queue_full(max_waiting: int) -> StatusError:
    """Error of a full queue; TensorFlow Serving has no equivalent."""
    return StatusError(
        Code.UNAVAILABLE,
        f"{max_waiting} requests wait already, the most allowed; try again later.",
    )


def timeout_ms(deadline: float | None) -> int | None:
    """Returns the milliseconds left until `deadline`, at least 1.

    Raises:
        StatusError: DEADLINE_EXCEEDED, if it has passed.
    """
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise deadline_exceeded()
    return math.ceil(min(left, 1e6) * 1000)


def batch_size(inputs: dict[str, np.ndarray]) -> int:
    """Returns the common size of the inputs' first dimension.

    Raises:
        StatusError: INVALID_ARGUMENT: no inputs, a scalar input, or different sizes.
    """
    if not inputs:
        raise StatusError(
            Code.INVALID_ARGUMENT, "Batching Run() must have at least one input tensor"
        )
    sizes = set()
    for value in inputs.values():
        if value.ndim == 0:
            raise StatusError(
                Code.INVALID_ARGUMENT,
                "Batching Run() input tensors must have at least one dimension",
            )
        sizes.add(value.shape[0])
    if len(sizes) > 1:
        raise StatusError(
            Code.INVALID_ARGUMENT,
            "Batching Run() input tensors must have equal 0th-dimension size",
        )
    return sizes.pop()
