"""Pixels in [0, 1] to pixels that are 0 or 1."""

from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.data import randomness
from vae_tf.utils.errors import InputError

MODES = ("threshold", "static", "dynamic")
# Random numbers are drawn for this many examples at a time, always for all of them, so that the
# draw of an example depends on the seed and on its index alone.
_ROWS = 256


def check_mode(binarize: str | None) -> None:
    """Raises `InputError` unless `binarize` is None or one of `MODES`."""
    if binarize is not None and binarize not in MODES:
        raise InputError(
            f"binarize={binarize!r} is unknown; use None (pixels stay as they are), 'threshold', "
            "'static' or 'dynamic'."
        )


def draw(x: tf.Tensor, seed: Any) -> tf.Tensor:
    """Draws Bernoulli(x), in the graph.

    Args:
        x: float32 tensor of any shape, values in [0, 1].
        seed: int64 [2].

    Returns:
        float32 of the same shape, 0 or 1.
    """
    return tf.cast(tf.random.stateless_uniform(tf.shape(x), seed) < x, tf.float32)


def threshold(x: tf.Tensor) -> tf.Tensor:
    """1 where x >= 0.5, else 0, in the dtype of `x`."""
    return tf.cast(x >= 0.5, x.dtype)


def binarize_array(x: np.ndarray, divisor: float, mode: str, seed: int, use: int) -> np.ndarray:
    """Binarises a whole array once.

    Args:
        x: [N, *event] uint8 or float32. `x / divisor` lies in [0, 1].
        divisor: float. What 1.0 is in `x`.
        mode: "threshold" or "static".
        seed: int. The user's for the train split, `randomness.TEST_SEED` for the test split.
        use: int. `randomness.STATIC_TRAIN` or `randomness.STATIC_TEST`.

    Returns:
        uint8 [N, *event], 0 or 1. Example i is a pure function of x[i], (seed, use) and i.
    """
    out = np.empty(x.shape, np.uint8)
    with tf.device("CPU:0"):  # a GPU's generator may give other numbers
        for number, start in enumerate(range(0, len(x), _ROWS)):
            rows = x[start : start + _ROWS].astype(np.float32) / np.float32(divisor)
            if mode == "threshold":
                out[start : start + _ROWS] = rows >= 0.5
            else:
                key = randomness.stream(seed, use, number)
                uniform = tf.random.stateless_uniform([_ROWS, *x.shape[1:]], key).numpy()
                out[start : start + _ROWS] = uniform[: len(rows)] < rows
    return out
