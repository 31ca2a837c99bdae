"""Pipelines from arrays in memory."""

from typing import Any

import numpy as np

from vae_tf.data import binarize as binarizing
from vae_tf.data import checks, pipeline, randomness
from vae_tf.data import dequantize as dequantizing
from vae_tf.data.arrays import Arrays
from vae_tf.data.columns import standardized, suspicious
from vae_tf.data.dataset import Data
from vae_tf.data.splits import splits_of
from vae_tf.utils.checks import as_count, as_int
from vae_tf.utils.errors import InputError


def from_arrays(
    x_train: Any,
    x_test: Any = None,
    *,
    y_train: Any = None,
    y_test: Any = None,
    batch_size: int = 128,
    binarize: str | None = None,
    dequantize: bool = False,
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
        dequantize: bool. Make bytes k the values (k + u) / 256 with uniform noise u. See `load`.
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
        dequantize=dequantize,
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
    dequantize: bool = False,
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
    x, x_test, y, y_test = splits_of(
        arrays, test_fraction, np.float64 if standardize else np.float32
    )
    given, names = np.asarray(arrays.x_train), arrays.column_names
    remarks = suspicious(given, names, standardize, droppable=arrays.table)
    if drop_remainder and len(x) < batch_size:
        raise InputError(
            f"batch_size={batch_size} with drop_remainder leaves no batch of {len(x)} training "
            "examples; take a smaller batch_size."
        )
    divisor = test_divisor = arrays.divisor or _divisor(x, x_test)
    mean = stddev = None
    if standardize:
        x, x_test, mean, stddev = standardized(x, x_test, name)
    limits = _value_range(x, x_test, value_range)
    levels = None if binarize else dequantizing.levels_of(x.dtype, divisor)
    if dequantize:
        dequantizing.check_dequantize(levels, binarize, name)
        x_test, test_divisor = dequantizing.dequantize_array(x_test, int(levels or 0)), 1.0
    eight_bit = levels == 256 and not dequantize
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
        levels=levels if dequantize else None,
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
        levels=levels,
        dequantize=dequantize,
        held_out=arrays.x_test is None,
        class_names=arrays.class_names,
        column_names=arrays.column_names,
        mean=mean,
        stddev=stddev,
        account=arrays.account.with_remarks(remarks),
    )


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
