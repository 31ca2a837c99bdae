"""Checks of the arrays that are drawn."""

from typing import Any

import numpy as np

from vae_tf.utils.errors import InputError


def as_examples(x: Any, name: str = "x") -> np.ndarray:
    """Returns `x` as floats: images `[N, H, W, C]`, clipped to [0, 1], or vectors `[N, D]`.

    Args:
        x: Anything NumPy reads: an array, nested lists, an eager tensor.
        name: What the message calls it.

    Raises:
        InputError: Another rank, no example or no value in an example, a channel count that is not
            1 or 3, values that are no numbers or not finite, whole-number images beyond 1.
    """
    values = as_numbers(x, name)
    if values.ndim not in (2, 4):
        hint = " A batch of grey images needs its channel axis: x[..., None]." * (values.ndim == 3)
        raise InputError(
            f"`{name}` has shape {values.shape}, but a picture needs images [N, H, W, C] or "
            f"vectors [N, D].{hint}"
        )
    if values.size == 0:
        raise InputError(
            f"`{name}` is empty: its shape is {values.shape}. Give at least one example."
        )
    if not np.isfinite(values).all():
        rows = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
        raise InputError(
            f"`{name}` has NaN or infinite values in {len(rows)} of {len(values)} examples, the "
            f"first at index {rows[0]}. Leave those out, or look for where they come from."
        )
    if values.ndim == 2:
        return values
    if values.shape[-1] not in (1, 3):
        raise InputError(
            f"`{name}` has {values.shape[-1]} channels (shape {values.shape}), but only grey "
            f"(1) and RGB (3) images can be drawn. Choose channels, for instance {name}[..., :3]."
        )
    # Clipping would turn 8-bit images into white ones without a word.
    if np.asarray(x).dtype.kind in "ui" and values.max() > 1:
        raise InputError(
            f"`{name}` holds whole numbers up to {values.max():g}, but pixels are drawn from 0 "
            f"(black) to 1 (white). Divide by 255."
        )
    return np.clip(values, 0.0, 1.0)


def as_numbers(x: Any, name: str) -> np.ndarray:
    """Returns `x` as an array of float32 or float64 of any shape.

    Raises:
        InputError: Values that are no real numbers, or rows of different lengths.
    """
    try:
        values = np.asarray(x)
        # bfloat16 has kind "V" in NumPy, and is a number all the same.
        if values.dtype.kind in "OUSmMc":
            raise TypeError(f"dtype {values.dtype}")
        return values.astype(np.float64 if values.dtype == np.float64 else np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`{name}` is no array of real numbers ({error}). Give a NumPy array."
        ) from error
