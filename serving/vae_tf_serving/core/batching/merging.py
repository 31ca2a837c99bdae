"""Several requests as one run: rows joined, padded, and cut apart again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vae_tf_serving.core.batching.task import Task, Values
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import Code, StatusError

Run = Callable[[dict[str, np.ndarray], tuple[str, ...], float | None], Values]


@dataclass(frozen=True)
class Rules:
    """How requests are joined.

    Attributes:
        late: The answer to a task past its deadline.
        observer: Told of each run.
        allowed_sizes: Sizes to pad a batch to, ascending; none for no padding.
        pad_inner: Whether to pad inner dimensions to the largest of the batch.
        strict: Whether a request that runs by itself must have outputs with a row for each row of
            its inputs too.
    """

    late: StatusError
    observer: Observer
    allowed_sizes: Sequence[int] = ()
    pad_inner: bool = False
    strict: bool = False


def run_together(tasks: Sequence[Task], run: Run, rules: Rules) -> None:
    """Answers every task, from one run if that succeeds, else from a run of its own.

    One request's fault is not its neighbours'. A task whose caller has gone is dropped.

    Args:
        tasks: Tasks of the same outputs whose inputs can be joined; `rows` is set.
        run: Computes (inputs, outputs, deadline).
        rules: How.
    """
    _answer([task for task in tasks if task.start()], run, rules)


def _answer(tasks: Sequence[Task], run: Run, rules: Rules) -> None:
    live = _in_time(tasks, rules)
    if not live:
        return
    try:
        answers = _run(live, run, rules)
    except Exception as error:
        if len(live) == 1:
            live[0].fail(error)
        else:
            for task in live:
                _answer([task], run, rules)
    else:
        for task, values in zip(live, answers, strict=True):
            task.succeed(values)


def _in_time(tasks: Sequence[Task], rules: Rules) -> list[Task]:
    """The tasks whose deadline is yet to come; the others are answered."""
    now = time.monotonic()
    live = []
    for task in tasks:
        if task.deadline is not None and task.deadline <= now:
            task.fail(rules.late)
        else:
            live.append(task)
    return live


def _run(tasks: Sequence[Task], run: Run, rules: Rules) -> list[Values]:
    now = time.monotonic()
    rows = sum(task.rows for task in tasks)
    padding = padded_size(rows, rules.allowed_sizes) - rows
    deadlines = [task.deadline for task in tasks if task.deadline is not None]
    deadline = max(deadlines) if len(deadlines) == len(tasks) else None
    inputs = merge([task.inputs for task in tasks], padding, rules.pad_inner)
    outputs = run(inputs, tasks[0].outputs, deadline)
    if len(tasks) == 1 and not padding and not rules.strict:
        answers = [outputs]
    else:
        answers = split(outputs, [task.rows for task in tasks], padding)
    rules.observer.batch_processed(rows, padding, [now - task.queued for task in tasks])
    return answers


def padded_size(rows: int, allowed_sizes: Sequence[int]) -> int:
    """The smallest allowed size that holds `rows`, or `rows` where there is none."""
    return next((size for size in allowed_sizes if size >= rows), rows)


def merge(
    inputs: Sequence[dict[str, np.ndarray]], padding: int = 0, pad_inner: bool = False
) -> dict[str, np.ndarray]:
    """Joins the inputs of several requests along their first dimension.

    Args:
        inputs: Inputs of each request, of the same names and dtypes.
        padding: Rows to add at the end; each is row 0 of the last request.
        pad_inner: Whether to enlarge inner dimensions to the largest, with the first value of the
            tensor.

    Returns:
        Tensor name -> value of rows + padding rows. A lone request without padding is returned
        as it is, not copied.

    Raises:
        StatusError: INVALID_ARGUMENT, if an empty tensor is to be enlarged.
    """
    if len(inputs) == 1 and not padding:
        return inputs[0]
    merged = {}
    for name in inputs[0]:
        values = [each[name] for each in inputs]
        if pad_inner:
            inner = tuple(np.max([value.shape[1:] for value in values], axis=0))
            values = [_enlarge(value, inner) for value in values]
        if padding:
            values.append(np.repeat(values[-1][:1], padding, axis=0))
        merged[name] = np.concatenate(values)
    return merged


def split(outputs: Values, rows: Sequence[int], padding: int = 0) -> list[Values]:
    """Cuts the outputs of a joined run into those of each request; padding is dropped.

    Args:
        outputs: Values of sum(rows) + padding rows each.
        rows: Rows of each request.
        padding: Rows that belong to nobody.

    Returns:
        For each request its outputs; views, not copies.

    Raises:
        StatusError: FAILED_PRECONDITION, if an output does not have a row for each row of input.
    """
    total = sum(rows) + padding
    for output in outputs:
        if output.ndim == 0:
            raise StatusError(Code.FAILED_PRECONDITION, "Batched output tensor has 0 dimensions")
        if output.shape[0] != total:
            raise StatusError(
                Code.FAILED_PRECONDITION,
                "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension "
                "sizes of the input tensors",
            )
    answers, start = [], 0
    for size in rows:
        answers.append([output[start : start + size] for output in outputs])
        start += size
    return answers


def _enlarge(value: np.ndarray, inner: tuple[int, ...]) -> np.ndarray:
    if value.shape[1:] == inner:
        return value
    if not value.size:
        raise StatusError(Code.INVALID_ARGUMENT, "Got empty tensor in batch of non-empty tensors.")
    enlarged = np.full((value.shape[0], *inner), value.flat[0], dtype=value.dtype)
    enlarged[tuple(slice(old) for old in value.shape)] = value
    return enlarged
