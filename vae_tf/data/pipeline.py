"""Pipelines over arrays in memory: an epoch is one permutation, a batch one gather."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.data import binarize, dequantize, randomness


def count_epochs(first_epoch: int) -> tf.Variable:
    """The epoch that the next iteration gives, int64 scalar, in host memory."""
    with tf.device("CPU:0"):  # tf.data cannot reach a variable on a GPU
        return tf.Variable(first_epoch, dtype=tf.int64, trainable=False, name="epoch")


def each_epoch(counter: tf.Variable, epoch_elements: Callable[[Any], Any]) -> Any:
    """A dataset of which every iteration is the next epoch.

    Args:
        counter: tf.Variable from `count_epochs`. Each new iterator takes its value and adds 1.
        epoch_elements: function of an epoch (int64 scalar tensor) to that epoch's dataset.

    Returns:
        tf.data.Dataset, finite if every epoch's is.
    """

    def elements(_: Any) -> Any:
        return epoch_elements(counter.assign_add(1, read_value=True) - 1)

    return tf.data.Dataset.range(1).flat_map(elements)


def finish(dataset: Any, batches: int, counter: tf.Variable | None = None) -> Any:
    """Adds what every pipeline ends with: a known number of batches and a prefetch.

    Args:
        dataset: tf.data.Dataset of batches.
        batches: int. How many an epoch has.
        counter: tf.Variable or None. Of a training pipeline; kept as `dataset.epoch_counter`.

    Returns:
        tf.data.Dataset.
    """
    options = tf.data.Options()
    # There are no files to share out between workers; without this, tf.distribute tries and warns.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    # There is nothing to rewrite, and the rewriting reads every captured array: 10 s for 2.5 GiB.
    options.experimental_optimization.apply_default_optimizations = False
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(batches))
    dataset = dataset.prefetch(tf.data.AUTOTUNE).with_options(options)
    if counter is not None:
        dataset.epoch_counter = counter
    return dataset


def count_batches(examples: int, batch_size: int, drop_remainder: bool) -> int:
    """Batches of one pass over `examples`; the incomplete last one counts unless dropped."""
    return examples // batch_size if drop_remainder else -(-examples // batch_size)


def in_memory(
    x: np.ndarray,
    y: np.ndarray | None,
    *,
    batch_size: int,
    divisor: float = 1.0,
    seed: int = 0,
    first_epoch: int | None = None,
    dynamic: bool = False,
    levels: int | None = None,
    drop_remainder: bool = False,
) -> Any:
    """A pipeline over arrays.

    Args:
        x: [N, *event] uint8 or float32. Stays as it is in memory; a batch is cast and divided in
            the graph.
        y: int64 [N] or None. Labels.
        batch_size: int. At least 1.
        divisor: float. What the values are divided by.
        seed: int. Of the order and of the draws.
        first_epoch: int or None. None: a fixed order, no epochs (the test split). Otherwise each
            iteration is the next epoch from this one, in an order that depends on the seed and
            the epoch alone.
        dynamic: bool. Draw Bernoulli(x) anew for every (seed, epoch, batch).
        levels: int or None. Instead of dividing, add uniform noise anew for every (seed, epoch,
            batch) to that many levels; see `dequantize`.
        drop_remainder: bool. Leave out the incomplete last batch; the batch axis is then static.

    Returns:
        tf.data.Dataset of (x float32 [B, *event], y int64 [B]), or x without labels.
    """
    size = len(x)
    batches = count_batches(size, batch_size, drop_remainder)
    static_shape = [batch_size if drop_remainder else None, *x.shape[1:]]
    # Captured by the dataset as tensors: made once, never part of a graph, so any size will do.
    with tf.device("CPU:0"):
        images = tf.constant(x)
        labels = None if y is None else tf.constant(y, tf.int64)

    def cut(epoch: Any, order: Any) -> Any:
        return tf.data.Dataset.range(batches).map(
            lambda b: (epoch, b, order[b * batch_size : tf.minimum((b + 1) * batch_size, size)])
        )

    def shuffled(epoch: Any) -> Any:
        rows = tf.range(size, dtype=tf.int64)
        key = randomness.stream(seed, randomness.ORDER, epoch)
        return cut(epoch, tf.random.experimental.stateless_shuffle(rows, key))

    def gather(epoch: Any, number: Any, rows: Any) -> Any:
        batch = tf.cast(tf.gather(images, rows), tf.float32)
        if levels is not None:
            key = randomness.stream(seed, randomness.NOISE, epoch, number)
            batch = dequantize.draw(batch, levels, key)
        elif divisor != 1.0:
            batch = batch / divisor
        if dynamic:
            key = randomness.stream(seed, randomness.DYNAMIC, epoch, number)
            batch = binarize.draw(batch, key)
        batch = tf.ensure_shape(batch, static_shape)
        return batch if labels is None else (batch, tf.gather(labels, rows))

    if first_epoch is None:
        counter = None
        dataset = cut(tf.constant(0, tf.int64), tf.range(size, dtype=tf.int64))
    else:
        counter = count_epochs(first_epoch)
        dataset = each_epoch(counter, shuffled)
    dataset = dataset.map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return finish(dataset, batches, counter)
