"""Levels k = 0, 1, ... to values (k + u) / levels with u uniform between 0 and 1."""

from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.data import randomness
from vae_tf.utils.errors import InputError

# As in `binarize`: the draw of an example depends on its index alone.
_ROWS = 256
# Steps of u: k + u is then a float32 exactly, so that no value is rounded to the next level.
_STEPS = 2.0**15


def levels_of(dtype: Any, divisor: float) -> int | None:
    """How many levels bytes that are divided by `divisor` have: 256 for 255; None for other numbers.

    Args:
        dtype: NumPy dtype of the values.
        divisor: float. What 1.0 is. Bytes that are only 0 and 1 (divisor 1) have no levels here:
            they are binary.
    """
    return round(divisor) + 1 if np.dtype(dtype) == np.uint8 and divisor > 1 else None


def check_dequantize(levels: int | None, binarize: str | None, name: str) -> None:
    """Raises `InputError` unless there are levels that noise can be added to."""
    if binarize is not None:
        raise InputError(
            f"dequantize=True and binarize={binarize!r} were both given; binarised pixels have no "
            "levels, so leave one of them out."
        )
    if levels is None:
        raise InputError(
            f"dequantize=True was asked for {name!r}, which holds no levels of grey; it is for bytes "
            "(uint8) of more than the values 0 and 1, so pass those or leave it out."
        )


def draw(x: tf.Tensor, levels: int, seed: Any) -> tf.Tensor:
    """Adds the noise, in the graph.

    Args:
        x: float32 tensor of any shape of whole numbers below `levels`.
        levels: int.
        seed: int64 [2].

    Returns:
        float32 of the same shape, above 0 and below 1.
    """
    noise = tf.random.stateless_uniform(tf.shape(x), seed)
    return (x + (tf.floor(noise * _STEPS) + 0.5) / _STEPS) / levels


def dequantize_array(x: np.ndarray, levels: int) -> np.ndarray:
    """Dequantises a test split once.

    Args:
        x: uint8 [N, *event].
        levels: int.

    Returns:
        float32 [N, *event]. Example i is a pure function of x[i] and i, whatever the user's seed.
    """
    out = np.empty(x.shape, np.float32)
    with tf.device("CPU:0"):  # a GPU's generator may give other numbers
        for number, start in enumerate(range(0, len(x), _ROWS)):
            rows = np.zeros((_ROWS, *x.shape[1:]), np.float32)
            part = x[start : start + _ROWS]
            rows[: len(part)] = part
            key = randomness.stream(randomness.TEST_SEED, randomness.NOISE_TEST, number)
            out[start : start + _ROWS] = draw(tf.constant(rows), levels, key).numpy()[: len(part)]
    return out
