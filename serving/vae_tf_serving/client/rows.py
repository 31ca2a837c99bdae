"""Rows cut into requests, and their answers put together."""

from collections.abc import Iterator, Mapping

import numpy as np

from vae_tf_serving.client.error import ServingError, invalid
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.signature import Signature


def count(arrays: Mapping[str, np.ndarray]) -> int:
    """The number of rows that all inputs have.

    Raises:
        ServingError: INVALID_ARGUMENT, if they differ, or an input is a scalar.
    """
    sizes = {name: len(array) if array.ndim else None for name, array in arrays.items()}
    if len(set(sizes.values())) != 1 or None in sizes.values():
        rows = ", ".join(f"{name}: {size}" for name, size in sorted(sizes.items()))
        raise invalid(f"The inputs must have the same number of rows; they have {rows}.")
    return next(iter(sizes.values())) or 0


def per_request(
    arrays: Mapping[str, np.ndarray], signature: Signature, options: Options, growth: int
) -> int:
    """How many rows a request may have, so that neither it nor its answer is too large.

    Args:
        arrays: At least one row.
        signature: Tells the size of the answer.
        options: `max_rows` and `max_message_bytes`.
        growth: Of the protocol. A single row is sent, however large it is.
    """
    sent = sum(_bytes(array) for array in arrays.values()) / count(arrays)
    received = sum(info.row_bytes for info in signature.outputs.values())
    fitting = options.max_message_bytes / max(1, growth * max(sent, received))
    return max(1, min(options.max_rows, int(fitting)))


def cut(arrays: Mapping[str, np.ndarray], rows: int) -> Iterator[dict[str, np.ndarray]]:
    """`arrays` in parts of at most `rows` rows."""
    for start in range(0, count(arrays), rows):
        yield {name: array[start : start + rows] for name, array in arrays.items()}


def check_answer(outputs: Mapping[str, np.ndarray], rows: int) -> None:
    """Raises `ServingError` if the outputs do not have `rows` rows; then they cannot be joined."""
    for name, array in outputs.items():
        if array.shape[:1] != (rows,):
            raise ServingError(
                "INTERNAL", f"Output {name!r} has the shape {array.shape} for {rows} rows."
            )


def empty(signature: Signature) -> dict[str, np.ndarray]:
    """The outputs for no rows; axes of unknown size get the size 0."""
    return {
        name: np.empty((0, *(size or 0 for size in (info.shape or (0,))[1:])), info.array_dtype)
        for name, info in signature.outputs.items()
    }


def join(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Outputs of the parts, in order, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _bytes(array: np.ndarray) -> int:
    return sum(map(len, array.flat)) if array.dtype == object else array.nbytes
