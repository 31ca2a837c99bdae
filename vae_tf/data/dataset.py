"""The result of `load`: two pipelines and the properties of their examples."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.data.account import Account
from vae_tf.utils.errors import InputError


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """A train and a test pipeline with everything a model needs to know about them.

    Attributes:
        name: str. What was asked for, or the last part of the path.
        train: tf.data.Dataset. Batches `(x, y)`, or `x` where there are no labels: x float32
            [B, *event_shape], y int64 [B]. Finite: one iteration is one epoch, and every
            iteration is the next epoch, with an order of its own.
        test: tf.data.Dataset. The same in a fixed order, the last batch may be smaller.
        event_shape: tuple of int. Shape of one example, [H, W, C] for images, [D] for vectors.
        value_range: (low, high). (0, 1) for images; for other numbers the smallest and the
            largest that occur. None where it is not known (float images read from disk).
        binarize: None, "threshold", "static" or "dynamic". See `load`.
        num_train: int. Examples in the train split.
        num_test: int. Examples in the test split.
        num_classes: int. Labels lie in [0, num_classes); 0 where there are no labels.
        batch_size: int. Examples a batch.
        seed: int. What order and draws come from.
        first_epoch: int. The epoch that the first iteration of `train` gave.
        eight_bit: bool. Whether every value is k / 255 for an integer k.
        levels: int or None. How many values a pixel had: 256 for bytes. None for floats and
            binarised or binary pixels.
        dequantize: bool. Whether values are (k + u) / levels, and not k / (levels - 1).
        held_out: bool. Whether the data came without a test split, and a part of them is it.
        class_names: tuple of str. Name of each label, empty where unknown.
        column_names: tuple of str. Name of each column of a table, else empty.
        mean: float64 [D] or None. Column means taken away by `standardize`.
        stddev: float64 [D] or None. Column scales divided by, so x * stddev + mean is the original.
        account: Account. What was taken of files and columns, what was left out, and why.
    """

    name: str
    train: Any
    test: Any
    event_shape: tuple[int, ...]
    value_range: tuple[float | None, float | None]
    binarize: str | None
    num_train: int
    num_test: int
    num_classes: int
    batch_size: int
    seed: int
    first_epoch: int = 0
    eight_bit: bool = False
    levels: int | None = None
    dequantize: bool = False
    held_out: bool = False
    class_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    mean: np.ndarray | None = None
    stddev: np.ndarray | None = None
    account: Account = dataclasses.field(default_factory=Account)

    @property
    def epoch(self) -> int:
        """The epoch that the next iteration of `train` gives, counted from 0."""
        return int(self.train.epoch_counter.numpy())


def head(dataset: Any, n: int) -> tuple[np.ndarray, np.ndarray | None]:
    """The first `n` examples of a pipeline, as arrays.

    Looking does not use up an epoch: of a training pipeline these are the examples that the next
    iteration will start with.

    Args:
        dataset: tf.data.Dataset of `x`, `(x,)`, `(x, y)` or `(x, y, ...)` batches.
        n: int. At least 1.

    Returns:
        (x [n, *event], y [n] or None). Fewer than n where the dataset has fewer.

    Raises:
        InputError: if `n` is below 1 or the dataset is empty.
    """
    if n < 1:
        raise InputError(f"head was asked for {n} examples; ask for 1 or more.")
    counter = getattr(dataset, "epoch_counter", None)
    epoch = None if counter is None else tf.identity(counter)
    xs: list[np.ndarray] = []
    ys: list[np.ndarray] = []
    found = 0
    for batch in dataset:
        parts = batch if isinstance(batch, tuple) else (batch,)
        xs.append(parts[0].numpy())
        if len(parts) > 1:
            ys.append(parts[1].numpy())
        found += len(xs[-1])
        if found >= n:
            break
    if counter is not None:
        counter.assign(epoch)
    if not xs:
        raise InputError("head was given an empty dataset; give one with at least one batch.")
    return np.concatenate(xs)[:n], np.concatenate(ys)[:n] if ys else None
