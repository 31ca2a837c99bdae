"""Checks of codes and factors for the disentanglement scores."""

from typing import Any

import numpy as np

from vae_tf.evaluation.sklearn_inputs import as_vectors
from vae_tf.utils.errors import InputError


def as_codes_and_factors(
    codes: Any, factors: Any, least_factors: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The two tables that a disentanglement score compares.

    Args:
        codes: `[N, D]`, at least two of them, such as posterior means.
        factors: `[N, F]` whole numbers, or `[N]` for one factor.
        least_factors: int. Factors that are needed. Defaults to 1.

    Returns:
        float64 `[N, D]` and int64 `[N, F]`.

    Raises:
        InputError: for empty tables, a single example, tables of different lengths, fewer than two
            codes, too few factors, factors that are not whole numbers or never change.
    """
    z = as_vectors(codes, "codes").astype(np.float64)
    if z.shape[1] < 2:
        raise InputError(
            "codes has one dimension, expected at least two: the scores compare dimensions with each "
            "other."
        )
    v = np.asarray(factors)
    v = v[:, None] if v.ndim == 1 else v
    if v.ndim != 2 or v.dtype.kind not in "buif" or not np.isfinite(v).all() or (v % 1).any():
        raise InputError(
            f"factors has shape {v.shape} and type {v.dtype}, expected whole numbers [N, F], a column "
            "a factor; number the values of each."
        )
    if len(v) != len(z):
        raise InputError(
            f"factors has {len(v)} rows for {len(z)} codes; give the factors of each example."
        )
    if v.shape[1] < least_factors:
        raise InputError(
            f"factors has {v.shape[1]} column(s), expected at least {least_factors}: this score "
            "compares factors with each other."
        )
    constant = np.flatnonzero(v.max(axis=0) == v.min(axis=0))
    if len(constant):
        raise InputError(
            f"factor {constant[0]} (counted from 0) has one value in all examples; leave its column "
            "out."
        )
    return z, v.astype(np.int64)


def gaps(scores: np.ndarray) -> tuple[float, ...]:
    """How far the best code of each factor is ahead of the second best.

    Args:
        scores: `[D, F]`, of code i for factor j.

    Returns:
        F numbers.
    """
    ranked = np.sort(scores, axis=0)
    return tuple(float(gap) for gap in ranked[-1] - ranked[-2])
