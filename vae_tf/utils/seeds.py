"""Seeds as values: the same seed gives the same numbers, in another process too."""

import random
from typing import TypeAlias

import tensorflow as tf

from vae_tf.utils.errors import InputError

Seed: TypeAlias = int | tf.Tensor | None

_LOW_62_BITS = 2**62 - 1


def fresh_seed() -> int:
    """A seed from Python's `random`, which `keras.utils.set_random_seed` controls."""
    return random.getrandbits(62)


def as_seed(seed: Seed) -> tf.Tensor:
    """Turns a seed as users write it into one that TFP's stateless samplers take.

    Args:
        seed: An int, an integer tensor of shape [2], or None for a `fresh_seed`.

    Returns:
        int32 tensor of shape [2].

    Raises:
        InputError: if `seed` is anything else.
    """
    if seed is None:
        seed = fresh_seed()
    if isinstance(seed, int) and not isinstance(seed, bool):
        return two_words(tf.constant(seed & _LOW_62_BITS, tf.int64))
    try:
        words = tf.convert_to_tensor(seed)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"A seed is an int or an int tensor of shape [2]; got {seed!r}."
        ) from error
    if words.shape != (2,) or not words.dtype.is_integer:
        raise InputError(
            "A seed is an int or an int tensor of shape [2]; "
            f"got a tensor of shape {tuple(words.shape)} and dtype {words.dtype.name}."
        )
    return portable(tf.cast(words, tf.int32))


def two_words(seed: tf.Tensor) -> tf.Tensor:
    """The int32 pair of an int64 scalar: what `as_seed` makes of the same int, in a graph."""
    low, high = (
        seed & 0x7FFFFFFF,
        tf.bitwise.right_shift(seed & _LOW_62_BITS, tf.constant(31, tf.int64)),
    )
    return tf.cast(tf.stack([low, high]), tf.int32)


def fold_in(seed: tf.Tensor, *numbers: int | tf.Tensor) -> tf.Tensor:
    """Derives another seed from `seed` and each of `numbers` in turn, e.g. a stream and a step.

    Args:
        seed: int32 tensor of shape [2].
        *numbers: ints, or integer scalars.

    Returns:
        int32 tensor of shape [2], statistically independent for different numbers.
    """
    for number in numbers:
        seed = portable(tf.random.experimental.stateless_fold_in(seed, tf.cast(number, tf.int32)))
    return seed


def portable(seed: tf.Tensor) -> tf.Tensor:
    """`seed` without its sign bits: TensorFlow and XLA read negative seeds differently."""
    return tf.bitwise.bitwise_and(seed, tf.constant(0x7FFFFFFF, seed.dtype))
