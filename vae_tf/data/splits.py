"""Train and test split of arrays."""

from typing import Any

import numpy as np

from vae_tf.data import checks, randomness
from vae_tf.data.arrays import Arrays
from vae_tf.utils.errors import InputError


def splits_of(
    arrays: Arrays, test_fraction: float, dtype: Any = np.float32
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]:
    """The checked splits (x, x_test, y, y_test), a test split held out where there is none.

    Args:
        arrays: Arrays.
        test_fraction: float in (0, 1). What is held out.
        dtype: float32 or float64, of numbers that are no bytes.

    Raises:
        InputError: if the arrays are no examples, or do not fit each other.
    """
    x = checks.check_values(arrays.x_train, "the train split", dtype)
    y = None
    if arrays.y_train is not None:
        y = checks.check_labels(arrays.y_train, len(x), "the train split's y")
    if arrays.x_test is None:
        if arrays.y_test is not None:
            raise InputError("y_test was given without x_test; pass both or neither.")
        train, test = held_out(len(x), test_fraction)
        return x[train], x[test], None if y is None else y[train], None if y is None else y[test]
    x_test = checks.check_values(arrays.x_test, "the test split", dtype)
    if x_test.shape[1:] != x.shape[1:] or x_test.dtype != x.dtype:
        raise InputError(
            f"the test split holds {x_test.dtype} examples of shape {x_test.shape[1:]} but the "
            f"train split {x.dtype} of {x.shape[1:]}; pass two splits of the same kind."
        )
    if (y is None) != (arrays.y_test is None):
        raise InputError("only one split has labels; pass both y_train and y_test, or neither.")
    if arrays.y_test is None:
        return x, x_test, None, None
    return x, x_test, y, checks.check_labels(arrays.y_test, len(x_test), "the test split's y")


def held_out(examples: int, test_fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Which examples train and which test, whatever the user's seed.

    Args:
        examples: int. How many there are; at least 2.
        test_fraction: float in (0, 1). At least one example stays on each side.

    Returns:
        (train, test), int64 indices, each in ascending order.

    Raises:
        InputError: if there are fewer than 2 examples or the fraction is out of range.
    """
    test_fraction = checks.check_fraction(test_fraction)
    if examples < 2:
        raise InputError(
            "there is one example and no test split, so none can be held out; pass at least two "
            "examples or a test split."
        )
    size = min(max(round(examples * test_fraction), 1), examples - 1)
    order = np.random.default_rng(randomness.SPLIT_SEED).permutation(examples)
    return np.sort(order[size:]), np.sort(order[:size])
