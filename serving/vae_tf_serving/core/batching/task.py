"""One request on its way through a queue."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from vae_tf_serving.core.batching.future import Answer
from vae_tf_serving.status import Code, StatusError

Values = list[np.ndarray]


class Task:
    """Inputs, wanted outputs, and the answer to come.

    Args:
        inputs: Tensor name -> value.
        outputs: Names of the tensors to compute.
        deadline: `time.monotonic()` seconds after which nobody wants the answer, or None.
        finish: What makes the answer of the computed values, in the thread that computed them.
            Defaults to the values themselves.

    Attributes:
        rows: int. Size of the inputs' first dimension, where there is one.
        queued: float. `time.monotonic()` when the task was made.
    """

    __slots__ = ("answer", "deadline", "finish", "inputs", "outputs", "queued", "rows")

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
        self.answer: Answer[Any] = Answer()
        self.rows = 0
        self.queued = time.monotonic()

    def start(self) -> bool:
        """Whether to go on: False where the caller has cancelled the answer."""
        return self.answer.start()

    def succeed(self, values: Values) -> None:
        """Answers with what `finish` makes of `values`, or with its error."""
        try:
            result = values if self.finish is None else self.finish(values)
        except Exception as error:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Answers with an error of its own, for one error may end many tasks."""
        if isinstance(error, StatusError):
            error = StatusError(error.code, error.message)
        self.answer.set_exception(error)


def late() -> StatusError:
    """The answer to a request whose deadline has passed."""
    return StatusError(Code.DEADLINE_EXCEEDED, "Timed out waiting for notification")


def timeout_ms(deadline: float | None) -> int | None:
    """Milliseconds left until `deadline`, at least 1.

    Raises:
        StatusError: DEADLINE_EXCEEDED, if it has passed.
    """
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise late()
    return math.ceil(min(left, 1e6) * 1000)


def batch_size(inputs: dict[str, np.ndarray]) -> int:
    """The common size of the inputs' first dimension.

    Raises:
        StatusError: INVALID_ARGUMENT, if there is no such thing.
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
