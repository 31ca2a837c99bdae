"""The seeds that rows are drawn with."""

import secrets
from collections.abc import Sequence

import numpy as np

from vae_tf_serving.client.error import invalid

STRIDE = 1_000_000
_LIMIT = 2**63 // STRIDE - 1


def row_seeds(n: int, seed: int | Sequence[int] | np.ndarray | None) -> np.ndarray:
    """One seed a row, int64 `[n]`.

    Args:
        n: int. Rows.
        seed: An int: row i has the seed `1_000_000 * seed + i`, so that no row of one seed is a row
            of another. `[n]` ints: one for each row, as they are. None: new ones, from the system.

    Raises:
        ServingError: INVALID_ARGUMENT: out of range, or not n of them.
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
    if abs(int(seeds)) > _LIMIT or n > STRIDE:
        raise invalid(
            f"seed is {int(seeds)} for {n} rows, expected {-_LIMIT} to {_LIMIT} for at most "
            f"{STRIDE} rows; give a seed for each row."
        )
    return int(seeds) * STRIDE + np.arange(n, dtype=np.int64)
