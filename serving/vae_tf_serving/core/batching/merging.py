"""Merges requests into one run: joins and pads rows, and splits the outputs."""

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from vae_tf_serving.core.batching.task import Task, Values
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import Code, StatusError

RunFunction = Callable[[dict[str, np.ndarray], tuple[str, ...], float | None], Values]
"""Computes (inputs, outputs, deadline)."""


@dataclass(frozen=True)
class MergeRules:
    """Rules for merging requests.

    Attributes:
        deadline_error: Error of a task past its deadline.
        observer: Notified of each run.
        allowed_sizes: Sizes to pad a batch to, ascending; empty for no padding.
        pad_inner: Whether inner dimensions are padded to the largest of the batch.
        strict: Whether the outputs of a lone request too must have one row for each row of its
            inputs.
    """

    deadline_error: StatusError
    observer: Observer
    allowed_sizes: Sequence[int] = ()
    pad_inner: bool = False
    strict: bool = False


def run_together(tasks: Sequence[Task], run: RunFunction, rules: MergeRules) -> None:
    """Completes every task from one run, or from a run each if that one fails.

    So an invalid request fails alone. Cancelled tasks are dropped.

    Args:
        tasks: Tasks of one `merge_key`; `rows` is set.
        run: Computes the outputs.
        rules: Padding and errors.
    """
    _run_or_separate([task for task in tasks if task.start()], run, rules)


def _run_or_separate(tasks: Sequence[Task], run: RunFunction, rules: MergeRules) -> None:
    live = _fail_expired(tasks, rules)
    if not live:
        return
    try:
        results = _run(live, run, rules)
    except Exception as error:
        if len(live) == 1:
            live[0].fail(error)
        else:
            for task in live:
                _run_or_separate([task], run, rules)
    else:
        for task, values in zip(live, results, strict=True):
            task.succeed(values)


def _fail_expired(tasks: Sequence[Task], rules: MergeRules) -> list[Task]:
    """Fails the tasks whose deadline has passed; returns the others."""
    now = time.monotonic()
    live = []
    for task in tasks:
        if task.deadline is not None and task.deadline <= now:
            task.fail(rules.deadline_error)
        else:
            live.append(task)
    return live


def _run(tasks: Sequence[Task], run: RunFunction, rules: MergeRules) -> list[Values]:
    now = time.monotonic()
    rows = sum(task.rows for task in tasks)
    padding = padded_size(rows, rules.allowed_sizes) - rows
    deadlines = [task.deadline for task in tasks if task.deadline is not None]
    deadline = max(deadlines) if len(deadlines) == len(tasks) else None
    inputs = merge([task.inputs for task in tasks], padding, rules.pad_inner)
    outputs = run(inputs, tasks[0].outputs, deadline)
    if len(tasks) == 1 and not padding and not rules.strict:
        results = [outputs]
    else:
        results = split(outputs, [task.rows for task in tasks], padding)
    rules.observer.batch_processed(rows, padding, [now - task.queued for task in tasks])
    return results


def merge_key(task: Task, pad_inner: bool = False) -> Hashable:
    """Returns a key that is equal for tasks whose inputs can be merged.

    It has the outputs, and each input's name, dtype and inner shape (with `pad_inner`: rank).
    """
    inputs = tuple(
        (name, value.dtype, value.ndim if pad_inner else value.shape[1:])
        for name, value in task.inputs.items()
    )
    return task.outputs, inputs


def padded_size(rows: int, allowed_sizes: Sequence[int]) -> int:
    """Returns the smallest allowed size that holds `rows`, or `rows` if there is none."""
    return next((size for size in allowed_sizes if size >= rows), rows)


def merge(
    inputs: Sequence[dict[str, np.ndarray]], padding: int = 0, pad_inner: bool = False
) -> dict[str, np.ndarray]:
    """Joins the inputs of several requests along their first dimension.

    Args:
        inputs: Inputs of each request, of the same names and dtypes.
        padding: Rows to append; each is a copy of row 0 of the last request.
        pad_inner: Whether inner dimensions are padded to the largest, with the first value of the
            tensor.

    Returns:
        Tensor name -> value of rows + padding rows. The inputs of a lone request without padding
        are returned without a copy.

    Raises:
        StatusError: INVALID_ARGUMENT, if an empty tensor must be padded.
    """
    if len(inputs) == 1 and not padding:
        return inputs[0]
    merged = {}
    for name in inputs[0]:
        values = [each[name] for each in inputs]
        if pad_inner:
            inner = tuple(np.max([value.shape[1:] for value in values], axis=0))
            values = [_pad_inner(value, inner) for value in values]
        if padding:
            values.append(np.repeat(values[-1][:1], padding, axis=0))
        merged[name] = np.concatenate(values)
    return merged


def split(outputs: Values, rows: Sequence[int], padding: int = 0) -> list[Values]:
    """Splits the outputs of a merged run by request; drops the padding.

    Args:
        outputs: Values of sum(rows) + padding rows each.
        rows: Rows of each request.
        padding: Rows of padding at the end.

    Returns:
        The outputs of each request, as views.

    Raises:
        StatusError: FAILED_PRECONDITION, if an output does not have one row for each row of input.
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
    parts, start = [], 0
    for size in rows:
        parts.append([output[start : start + size] for output in outputs])
        start += size
    return parts


def _pad_inner(value: np.ndarray, inner: tuple[int, ...]) -> np.ndarray:
    if value.shape[1:] == inner:
        return value
    if not value.size:
        raise StatusError(Code.INVALID_ARGUMENT, "Got empty tensor in batch of non-empty tensors.")
    padded = np.full((value.shape[0], *inner), value.flat[0], dtype=value.dtype)
    padded[tuple(slice(old) for old in value.shape)] = value
    return padded
