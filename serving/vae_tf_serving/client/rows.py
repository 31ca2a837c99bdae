"""Rows of a call: their seeds, their split into requests, and the join of the outputs."""

import secrets
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from vae_tf_serving.client.error import ServingError, invalid
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.signature import Signature

_SEED_STRIDE = 1_000_000
_MAX_SEED = 2**63 // _SEED_STRIDE - 1


def count(arrays: Mapping[str, np.ndarray]) -> int:
    """Returns the number of rows of all inputs.

    Raises:
        ServingError: INVALID_ARGUMENT: the numbers differ, or an input is a scalar.
    """
    sizes = {name: len(array) if array.ndim else None for name, array in arrays.items()}
    if len(set(sizes.values())) != 1 or None in sizes.values():
        rows = ", ".join(f"{name}: {size}" for name, size in sorted(sizes.items()))
        raise invalid(f"The inputs must have the same number of rows; they have {rows}.")
    return next(iter(sizes.values())) or 0


def per_request(
    arrays: Mapping[str, np.ndarray], signature: Signature, options: Options, growth: int
) -> int:
    """Returns the rows of a request such that neither it nor its response is too large.

    It is at least 1, even if a single row is too large.

    Args:
        arrays: At least one row.
        signature: Has the shapes of the response.
        options: `max_rows` and `max_message_bytes`.
        growth: That of the protocol.
    """
    sent = sum(_bytes(array) for array in arrays.values()) / count(arrays)
    received = sum(info.row_bytes for info in signature.outputs.values())
    fitting = options.max_message_bytes / max(1, growth * max(sent, received))
    return max(1, min(options.max_rows, int(fitting)))


def split(arrays: Mapping[str, np.ndarray], rows: int) -> Iterator[dict[str, np.ndarray]]:
    """Splits `arrays` into parts of at most `rows` rows."""
    for start in range(0, count(arrays), rows):
        yield {name: array[start : start + rows] for name, array in arrays.items()}


def check_rows(outputs: Mapping[str, np.ndarray], rows: int) -> None:
    """Raises `ServingError` if an output does not have `rows` rows."""
    for name, array in outputs.items():
        if array.shape[:1] != (rows,):
            raise ServingError(
                "INTERNAL", f"Output {name!r} has the shape {array.shape} for {rows} rows."
            )


def empty(signature: Signature) -> dict[str, np.ndarray]:
    """Returns the outputs of zero rows; axes of unknown size get size 0."""
    return {
        name: np.empty((0, *(size or 0 for size in (info.shape or (0,))[1:])), info.array_dtype)
        for name, info in signature.outputs.items()
    }


def join(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Concatenates the outputs of the parts."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def row_seeds(n: int, seed: int | Sequence[int] | np.ndarray | None) -> np.ndarray:
    """Makes the seed of each row, int64 `[n]`.

    Args:
        n: int. Rows.
        seed: An int: row i gets the seed `1_000_000 * seed + i`, so that two seeds share no row. `[n]`
            ints: the seeds of the rows. None: new seeds from the system.

    Raises:
        ServingError: INVALID_ARGUMENT: out of range, or not n seeds.
    """
    if n < 0:
        raise invalid(f"n is {n}, expected 0 or more rows.")
    if seed is None:
        return np.frombuffer(secrets.token_bytes(8 * n), np.int64)
    seeds = np.asarray(seed)
    if seeds.dtype.kind not in "iu" and seeds.size:
        raise invalid(f"seed has the type {seeds.dtype}, expected int.")
    if seeds.ndim:
        if seeds.shape != (n,):
            raise invalid(f"seed has the shape {seeds.shape}, expected an int or ({n},) of them.")
        return seeds.astype(np.int64)
    if abs(int(seeds)) > _MAX_SEED or n > _SEED_STRIDE:
        raise invalid(
            f"seed is {int(seeds)} for {n} rows, expected {-_MAX_SEED} to {_MAX_SEED} for at most "
            f"{_SEED_STRIDE} rows; give a seed for each row."
        )
    return int(seeds) * _SEED_STRIDE + np.arange(n, dtype=np.int64)


def _bytes(array: np.ndarray) -> int:
    return sum(map(len, array.flat)) if array.dtype == object else array.nbytes
