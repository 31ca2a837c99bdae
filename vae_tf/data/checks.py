"""Checks of arguments and arrays of data."""

import numbers
from typing import Any

import numpy as np

from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


def check_fraction(value: Any) -> float:
    """The held-out fraction as a float; `InputError` unless 0 < value < 1."""
    if not isinstance(value, numbers.Real) or not 0 < float(value) < 1:
        raise InputError(
            f"test_fraction={value!r} was given; pass a number between 0 and 1, such as 0.1."
        )
    return float(value)


def check_image_size(value: Any) -> tuple[int, int] | None:
    """(height, width) in pixels, or None; `InputError` unless two integers of at least 1."""
    if value is None:
        return None
    try:
        height, width = value
    except (TypeError, ValueError):
        raise InputError(
            f"image_size={value!r} was given; pass (height, width) in pixels."
        ) from None
    return as_count("image_size height", height), as_count("image_size width", width)


def check_values(x: Any, what: str, dtype: Any = np.float32) -> np.ndarray:
    """Examples as [N, *event]: uint8 stays, every other number becomes a `dtype`.

    Args:
        x: array-like [N, D], [N, H, W] (gets a channel axis) or [N, H, W, C]; bool, integer or
            float.
        what: str. Its name in messages.
        dtype: float32 or float64.

    Returns:
        uint8 or `dtype` array, C-contiguous.

    Raises:
        InputError: if it is empty, of another rank, not numeric, or holds NaN or infinity.
    """
    try:
        x = np.asarray(x)
    except ValueError:
        raise InputError(
            f"{what} holds examples of different shapes; pass one array [N, ...]."
        ) from None
    if x.dtype.kind not in "buif":
        raise InputError(
            f"{what} holds {x.dtype} values; pass numbers: uint8 pixels or floating-point values."
        )
    if x.ndim not in (2, 3, 4):
        raise InputError(
            f"{what} has shape {x.shape}; expected [N, D], [N, H, W] or [N, H, W, C], with "
            "the examples along the first axis."
        )
    if 0 in x.shape:
        raise InputError(f"{what} is empty (shape {x.shape}); pass at least one example.")
    if x.ndim == 3:
        x = x[..., np.newaxis]
    if x.dtype.kind == "b":
        x = x.astype(np.uint8)
    if x.dtype != np.uint8:
        with np.errstate(over="ignore"):  # an overflow is an infinity, which is refused below
            x = x.astype(dtype, copy=False)
        check_finite(x, what)
    return np.ascontiguousarray(x)


def check_finite(x: np.ndarray, what: str) -> None:
    """Raises `InputError` naming the first row of `x` that holds NaN or infinity."""
    row = first_row(~np.isfinite(x))
    if row is not None:
        raise InputError(
            f"{what} holds NaN or infinity (first in row {row}, counted from 0); remove or fill in "
            "such rows."
        )


def check_unit_interval(x: np.ndarray, what: str) -> None:
    """Raises `InputError` naming the first row of `x` with a value outside [0, 1]."""
    row = first_row((x < 0) | (x > 1))
    if row is not None:
        raise InputError(
            f"{what} holds values from {x.min():g} to {x.max():g} (outside [0, 1] first in row "
            f"{row}, counted from 0), but binarising needs [0, 1]; rescale them, pass pixels as "
            "uint8, or leave binarize=None."
        )


def first_row(bad: np.ndarray) -> int | None:
    """Index of the first row of a bool array [N, ...] with a True, or None."""
    rows = bad.reshape(len(bad), -1).any(axis=1)
    return int(np.argmax(rows)) if rows.any() else None


def check_labels(y: Any, examples: int, what: str) -> np.ndarray:
    """Labels as int64 [N].

    Args:
        y: array-like [N] or [N, 1] of whole numbers from 0.
        examples: int. N.
        what: str. Its name in messages.

    Raises:
        InputError: if rank, length or values are otherwise.
    """
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise InputError(f"{what} has shape {y.shape}; expected [N], one class number an example.")
    if len(y) != examples:
        raise InputError(
            f"{what} has {len(y)} labels for {examples} examples; pass one label an example."
        )
    if y.dtype.kind not in "buif" or (y != np.floor(y)).any() or (y < 0).any():
        raise InputError(f"{what} must hold whole numbers from 0, the classes; number them so.")
    return y.astype(np.int64)
