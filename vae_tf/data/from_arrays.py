"""Pipelines from arrays in memory."""

import dataclasses
from typing import Any

import numpy as np

from vae_tf.data import binarize as binarizing
from vae_tf.data import checks, pipeline, randomness
from vae_tf.data.dataset import Data
from vae_tf.utils.checks import as_count, as_int
from vae_tf.utils.errors import InputError


@dataclasses.dataclass
class Arrays:
    """What a source read: one or two splits, and names.

    Attributes:
        x_train: [N, *event] or [N, H, W], uint8 or float.
        x_test: the same, or None: then a part of `x_train` is held out.
        y_train: int [N] or None.
        y_test: int [M] or None.
        class_names: tuple of str, or empty.
        column_names: tuple of str, or empty.
        divisor: float or None. What 1.0 is in `x_train`; None: found from the dtype.
        table: bool. Whether these are columns of numbers, which cannot be binarised.
    """

    x_train: Any
    x_test: Any = None
    y_train: Any = None
    y_test: Any = None
    class_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    divisor: float | None = None
    table: bool = False


def from_arrays(
    x_train: Any,
    x_test: Any = None,
    *,
    y_train: Any = None,
    y_test: Any = None,
    batch_size: int = 128,
    binarize: str | None = None,
    seed: int = 0,
    first_epoch: int = 0,
    value_range: tuple[float, float] | None = None,
    name: str = "arrays",
    test_fraction: float = 0.1,
    standardize: bool = False,
    drop_remainder: bool = False,
) -> Data:
    """Pipelines over arrays in memory.

    Args:
        x_train: array [N, D], [N, H, W] (gets a channel axis) or [N, H, W, C]. uint8 stays uint8
            in memory and is divided by 255 in the graph, unless it holds only 0 and 1, which are
            taken as they are; other numbers become float32 and are not rescaled.
        x_test: array [M, ...] of the same event shape and dtype, or None: then `test_fraction` of
            `x_train` is held out, always the same examples whatever the seed.
        y_train: int array [N] or None. Labels from 0.
        y_test: int array [M] or None. Given with `y_train` whenever `x_test` is.
        batch_size: int. Examples a batch. Defaults to 128.
        binarize: None, "threshold", "static" or "dynamic". See `load`.
        seed: int. Order and draws are pure functions of it and of the epoch. Defaults to 0.
        first_epoch: int. The epoch that the first iteration gives. Defaults to 0.
        value_range: (low, high) or None. What values may lie between, checked. Defaults to (0, 1)
            for uint8 and for float images within [0, 1], else to the extremes that occur.
        name: str. Defaults to "arrays".
        test_fraction: float in (0, 1). Used without `x_test`. Defaults to 0.1.
        standardize: bool. Take away each column's mean over the train split and divide by its
            standard deviation ([N, D] floats only). Defaults to False.
        drop_remainder: bool. Leave out the incomplete last train batch. Defaults to False.

    Returns:
        Data.

    Raises:
        InputError: for anything that does not fit the description above, NaN and infinity.
    """
    arrays = Arrays(x_train, x_test, y_train, y_test)
    return build(
        arrays,
        name=name,
        batch_size=batch_size,
        binarize=binarize,
        seed=seed,
        first_epoch=first_epoch,
        value_range=value_range,
        test_fraction=test_fraction,
        standardize=standardize,
        drop_remainder=drop_remainder,
    )


def build(
    arrays: Arrays,
    *,
    name: str,
    batch_size: int,
    binarize: str | None,
    seed: int,
    first_epoch: int,
    test_fraction: float = 0.1,
    value_range: tuple[float, float] | None = None,
    standardize: bool = False,
    drop_remainder: bool = False,
) -> Data:
    """`from_arrays` for what a source read; the arguments and errors are the same."""
    batch_size = as_count("batch_size", batch_size)
    seed = as_int("seed", seed)
    first_epoch = as_count("first_epoch", first_epoch, least=0)
    binarizing.check_mode(binarize)
    if binarize and arrays.table:
        raise InputError(
            f"binarize={binarize!r} was asked for the table {name!r}, but only images with values "
            "in [0, 1] can be binarised; leave binarize=None."
        )
    x, x_test, y, y_test = _splits(arrays, test_fraction)
    if drop_remainder and len(x) < batch_size:
        raise InputError(
            f"batch_size={batch_size} with drop_remainder leaves no batch of {len(x)} training "
            "examples; take a smaller batch_size."
        )
    divisor = test_divisor = arrays.divisor or _divisor(x, x_test)
    mean = stddev = None
    if standardize:
        x, x_test, mean, stddev = _standardized(x, x_test, name)
    limits = _value_range(x, x_test, value_range)
    eight_bit = x.dtype == np.uint8 and divisor == 255.0 and not binarize
    if binarize:
        limits = (0.0, 1.0)
        if x.dtype != np.uint8:
            checks.check_unit_interval(x, "the train split")
            checks.check_unit_interval(x_test, "the test split")
        x, divisor, x_test, test_divisor = _binarized(x, x_test, divisor, binarize, seed)
    classes = 0
    if y is not None and y_test is not None:
        classes = max(int(y.max()) + 1, int(y_test.max()) + 1, len(arrays.class_names))
    train = pipeline.in_memory(
        x,
        y,
        batch_size=batch_size,
        divisor=divisor,
        seed=seed,
        first_epoch=first_epoch,
        dynamic=binarize == "dynamic",
        drop_remainder=drop_remainder,
    )
    return Data(
        name=name,
        train=train,
        test=pipeline.in_memory(x_test, y_test, batch_size=batch_size, divisor=test_divisor),
        event_shape=x.shape[1:],
        value_range=limits,
        binarize=binarize,
        num_train=len(x),
        num_test=len(x_test),
        num_classes=classes,
        batch_size=batch_size,
        seed=seed,
        first_epoch=first_epoch,
        eight_bit=eight_bit,
        class_names=arrays.class_names,
        column_names=arrays.column_names,
        mean=mean,
        stddev=stddev,
    )


def _splits(
    arrays: Arrays, test_fraction: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]:
    """The checked splits (x, x_test, y, y_test), a test split held out where there is none."""
    x = checks.check_values(arrays.x_train, "the train split")
    y = None
    if arrays.y_train is not None:
        y = checks.check_labels(arrays.y_train, len(x), "the train split's y")
    if arrays.x_test is None:
        if arrays.y_test is not None:
            raise InputError("y_test was given without x_test; pass both or neither.")
        train, test = held_out(len(x), test_fraction)
        return x[train], x[test], None if y is None else y[train], None if y is None else y[test]
    x_test = checks.check_values(arrays.x_test, "the test split")
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


def _divisor(x: np.ndarray, x_test: np.ndarray) -> float:
    """What 1.0 is: 255 for bytes, 1 for floats and for bytes that are only 0 and 1."""
    return 255.0 if x.dtype == np.uint8 and max(x.max(), x_test.max()) > 1 else 1.0


def _value_range(
    x: np.ndarray, x_test: np.ndarray, given: tuple[float, float] | None
) -> tuple[float, float]:
    """The range to report, from the dtype and the values, or the given one if they fit it."""
    if given is None and x.dtype == np.uint8:
        return 0.0, 1.0
    low, high = float(min(x.min(), x_test.min())), float(max(x.max(), x_test.max()))
    if given is not None:
        if x.dtype == np.uint8:
            low, high = 0.0, 1.0
        if not given[0] <= low <= high <= given[1]:
            raise InputError(
                f"value_range={given!r} was given but values run from {low:g} to {high:g}; rescale "
                "the values or pass the range they have."
            )
        return float(given[0]), float(given[1])
    return (0.0, 1.0) if x.ndim == 4 and low >= 0 and high <= 1 else (low, high)


def _standardized(
    x: np.ndarray, x_test: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(x, x_test, mean, stddev) with the train split's columns at mean 0 and deviation 1."""
    if x.ndim != 2 or x.dtype == np.uint8:
        raise InputError(
            f"standardize=True was asked for {name!r}, which holds images or bytes; it is for "
            "tables and vectors of numbers only."
        )
    mean = x.mean(axis=0, dtype=np.float64)
    stddev = x.std(axis=0, dtype=np.float64)
    # A column of one value may have a deviation of some rounding error instead of 0.
    stddev[stddev <= 1e-7 * np.abs(mean)] = 1.0
    scaled = [((part - mean) / stddev).astype(np.float32) for part in (x, x_test)]
    return scaled[0], scaled[1], mean.astype(np.float32), stddev.astype(np.float32)


def _binarized(
    x: np.ndarray, x_test: np.ndarray, divisor: float, mode: str, seed: int
) -> tuple[np.ndarray, float, np.ndarray, float]:
    """(x, divisor, x_test, divisor) with all that is drawn once drawn.

    Under "dynamic" the train split is left to the pipeline, and the test split is drawn once,
    whatever the user's seed, so that every evaluation of every run sees the same test set.
    """
    once = "threshold" if mode == "threshold" else "static"
    fixed = (randomness.TEST_SEED, randomness.STATIC_TEST)
    drawn = binarizing.binarize_array(x_test, divisor, once, *fixed)
    if mode != "dynamic":
        x = binarizing.binarize_array(x, divisor, once, seed, randomness.STATIC_TRAIN)
        divisor = 1.0
    return x, divisor, drawn, 1.0
