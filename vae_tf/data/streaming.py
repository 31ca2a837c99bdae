"""Pipelines over prepared datasets that do not fit in memory."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from vae_tf.data import binarize as binarizing
from vae_tf.data import checks, pipeline, randomness
from vae_tf.data import dequantize as dequantizing
from vae_tf.data.account import Account
from vae_tf.data.dataset import Data
from vae_tf.data.records import Records
from vae_tf.utils.checks import as_count, as_int
from vae_tf.utils.errors import InputError

# Records wait in the buffer as they are on disk (a photograph about 10 kB), not decoded.
SHUFFLE_BUFFER = 20_000


def build(
    records: Records,
    train_split: str,
    test_split: str | None,
    *,
    name: str,
    batch_size: int,
    binarize: str | None,
    seed: int,
    first_epoch: int,
    test_fraction: float,
    drop_remainder: bool,
    account: Account | None = None,
    dequantize: bool = False,
) -> Data:
    """Pipelines that read, shuffle and decode from disk.

    The order of an epoch is that of a shuffle buffer of `SHUFFLE_BUFFER` records, a function of
    seed and epoch. Draws of a binarisation are functions of (seed, example) or (seed, epoch,
    example); those of the test split of the example alone.

    Args:
        records: Records. Images of 8 bits, or floats in [0, 1].
        train_split: str.
        test_split: str or None. None: the first `test_fraction` of the train split.
        name: str.
        batch_size: int. See `load`, as for what follows.
        binarize: None, "threshold", "static" or "dynamic".
        seed: int.
        first_epoch: int.
        test_fraction: float.
        drop_remainder: bool.
        account: Account or None. What was taken of the source.
        dequantize: bool.

    Returns:
        Data.

    Raises:
        InputError: for arguments out of range.
    """
    batch_size = as_count("batch_size", batch_size)
    seed = as_int("seed", seed)
    first_epoch = as_count("first_epoch", first_epoch, least=0)
    binarizing.check_mode(binarize)
    train, num_train = records.serialized(train_split), records.count(train_split)
    if test_split is not None:
        test, num_test = records.serialized(test_split), records.count(test_split)
    else:
        num_test = max(round(num_train * checks.check_fraction(test_fraction)), 1)
        train, test, num_train = train.skip(num_test), train.take(num_test), num_train - num_test
    if num_train < (batch_size if drop_remainder else 1):
        raise InputError(
            f"{name!r} has {num_train} training examples, too few for batch_size={batch_size}; "
            "take a smaller batch_size."
        )
    counter = pipeline.count_epochs(first_epoch)
    numbered = train.enumerate()
    eight_bit = records.dtype == tf.uint8.as_numpy_dtype
    levels = dequantizing.levels_of(records.dtype, 255.0) if binarize is None else None
    if dequantize:
        dequantizing.check_dequantize(levels, binarize, name)

    def shuffled(epoch: Any) -> Any:
        order = _shuffled(numbered, randomness.stream(seed, randomness.ORDER, epoch))
        return order.batch(batch_size, drop_remainder).map(lambda i, r: (epoch, i, r))

    def decode(use: int, mode: str | None) -> Any:
        def decoded(epoch: Any, index: Any, serialized: Any) -> Any:
            x, y = records.decode(serialized)
            x = tf.cast(x, tf.float32)
            if dequantize:
                x = _noisy_rows(x, index, epoch, levels, seed, use == randomness.STATIC_TEST)
            else:
                x = x / (255.0 if eight_bit else 1.0)
            if mode == "threshold":
                x = binarizing.threshold(x)
            elif mode is not None:
                parts = (use, epoch) if mode == "dynamic" else (use,)
                of_split = randomness.TEST_SEED if use == randomness.STATIC_TEST else seed
                x = _draw_rows(x, index, randomness.stream(of_split, *parts))
            return x if y is None else (x, y)

        return decoded

    def finish(batches: Any, decoder: Any, size: int, drop: bool, epochs: Any) -> Any:
        mapped = batches.map(decoder, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return pipeline.finish(mapped, pipeline.count_batches(size, batch_size, drop), epochs)

    train_use = randomness.DYNAMIC if binarize == "dynamic" else randomness.STATIC_TRAIN
    test_mode = "static" if binarize == "dynamic" else binarize
    fixed = test.enumerate().batch(batch_size).map(lambda i, r: (tf.constant(0, tf.int64), i, r))
    return Data(
        name=name,
        train=finish(
            pipeline.each_epoch(counter, shuffled),
            decode(train_use, binarize),
            num_train,
            drop_remainder,
            counter,
        ),
        test=finish(fixed, decode(randomness.STATIC_TEST, test_mode), num_test, False, None),
        event_shape=records.event_shape,
        value_range=(0.0, 1.0) if eight_bit or binarize else (None, None),
        binarize=binarize,
        num_train=num_train,
        num_test=num_test,
        num_classes=len(records.class_names),
        batch_size=batch_size,
        seed=seed,
        first_epoch=first_epoch,
        eight_bit=levels == 256 and not dequantize,
        levels=levels,
        dequantize=dequantize,
        held_out=test_split is None,
        class_names=records.class_names,
        account=account or Account(),
    )


def _shuffled(dataset: Any, key: tf.Tensor) -> Any:
    """The elements in the order of a shuffle buffer seeded by `key`, int64 [2].

    `Dataset.shuffle` cannot: within `flat_map` it keeps the seed of the first epoch for all later
    ones, and it mixes in `tf.random.set_seed`.
    """
    shuffled = tf.raw_ops.ShuffleDataset(
        input_dataset=tf.data.experimental.to_variant(dataset),
        buffer_size=SHUFFLE_BUFFER,
        seed=key[0],
        seed2=key[1],
        output_types=[tf.int64, tf.string],
        output_shapes=[[], []],
        reshuffle_each_iteration=False,
    )
    return tf.data.experimental.from_variant(shuffled, dataset.element_spec)


def _draw_rows(x: tf.Tensor, index: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """Bernoulli(x) [B, *event], each row from its own seed: (key, index of the example)."""
    return _by_row(binarizing.draw, x, index, key)


def _noisy_rows(
    x: tf.Tensor, index: tf.Tensor, epoch: Any, levels: Any, seed: int, test: bool
) -> tf.Tensor:
    """Dequantised levels [B, *event]: functions of (seed, epoch, example), or of the example."""
    parts = (randomness.NOISE_TEST,) if test else (randomness.NOISE, epoch)
    key = randomness.stream(randomness.TEST_SEED if test else seed, *parts)
    return _by_row(lambda row, own: dequantizing.draw(row, levels, own), x, index, key)


def _by_row(
    draw: Callable[[Any, Any], Any], x: tf.Tensor, index: tf.Tensor, key: tf.Tensor
) -> tf.Tensor:
    return tf.map_fn(
        lambda row: draw(row[0], tf.random.fold_in(key, row[1])),
        (x, index),
        fn_output_signature=tf.TensorSpec(x.shape[1:], tf.float32),
    )
