"""Examples, labels and seeds as the estimators of scikit-learn take them."""

import math
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from vae_tf.data.checks import check_values
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import fresh_seed


def as_vectors(x: Any, what: str, least: int = 2) -> np.ndarray:
    """Examples of any shape as rows of numbers.

    Args:
        x: `[N, *event]`. uint8 pixels beyond 1 are divided by 255, as in `vae_tf.data`.
        what: Its name in messages.
        least: int. Examples that are needed. Defaults to 2.

    Returns:
        float32 `[N, D]`.

    Raises:
        InputError: if it is empty, has fewer examples, is not numeric, or holds NaN or infinity.
    """
    values = check_values(x, what)
    if len(values) < least:
        raise InputError(
            f"{what} has {len(values)} example(s), expected at least {least}; give more of them."
        )
    vectors = values.reshape(len(values), -1)
    if vectors.dtype == np.uint8 and vectors.max() > 1:
        return vectors / np.float32(255)
    return vectors.astype(np.float32)


def as_random_state(seed: int | None) -> int:
    """A seed that scikit-learn takes, from one of this package.

    Args:
        seed: int, or None for a fresh one.

    Returns:
        int in [0, 2^32).

    Raises:
        InputError: if it is no int.
    """
    if seed is None:
        seed = fresh_seed()
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise InputError(f"A seed here is an int or None; got {seed!r}.")
    return int(np.random.SeedSequence(int(seed) % 2**64).generate_state(1)[0])


def stratified_split(
    x: np.ndarray, y: np.ndarray, what: str, test_fraction: float, random_state: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A part to train on and a part to test on, with each class in the same share in both.

    Args:
        x: `[N, D]`.
        y: `[N]`, whole numbers.
        what: The name of `y` in messages.
        test_fraction: float in (0, 1).
        random_state: Of scikit-learn.

    Returns:
        x_train, x_test, y_train, y_test.

    Raises:
        InputError: for a single class, a class with a single example, or parts that are too small to
            hold each class.
    """
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2:
        raise InputError(
            f"{what} has the one value {classes[0]} for all examples, expected at least two; without "
            "a difference there is nothing to tell apart."
        )
    if counts.min() < 2:
        raise InputError(
            f"{what} has one example of {classes[counts.argmin()]}, expected at least two of each "
            "value, one to train on and one to test on; add examples or leave it out."
        )
    smaller = math.floor(len(y) * min(test_fraction, 1 - test_fraction))
    if smaller < len(classes):
        raise InputError(
            f"{what} has {len(classes)} values, but test_fraction={test_fraction:g} of {len(y)} "
            f"examples leaves a part of {smaller}; give more examples or another fraction."
        )
    return train_test_split(x, y, test_size=test_fraction, stratify=y, random_state=random_state)
