"""Checks of data before they reach a model."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.layers.base import DistributionLayer
from vae_tf.utils.errors import InputError

# Wraps the sentence in the message of a tf.data assertion, so that it can be found there again.
_MARK = "#vae_tf#"


def check_shape(shape: tf.TensorShape, event_shape: tuple[int, ...], what: str) -> None:
    """Compares the static shape of a batch with `[batch, *event_shape]`.

    Raises:
        InputError: if they cannot be the same.
    """
    shape = tf.TensorShape(shape)
    if shape.is_compatible_with([None, *event_shape]):
        return
    expected = f"[batch, {', '.join(map(str, event_shape))}]"
    remedy = "reshape the data, or build the model for events of that shape"
    if shape.is_compatible_with(event_shape):
        remedy = "add the batch axis: x[None]"
    raise InputError(f"{what} has shape {tuple(shape)}, expected {expected}; {remedy}.")


def check_values(x: np.ndarray | tf.Tensor, likelihood: DistributionLayer, what: str) -> None:
    """Looks for NaN, infinities and values outside the support of `likelihood`, eagerly.

    Raises:
        InputError: if there is one.
    """
    ok, sentence = _values_verdict(tf.convert_to_tensor(x), likelihood, what)
    if not ok:
        raise InputError(sentence.numpy().decode())


def checked(data: Sequence[Any], likelihood: DistributionLayer, what: str) -> tuple[Any, ...]:
    """The data of `fit`, `evaluate` or `predict`, with x checked now (arrays) or as read (tf.data).

    Args:
        data: `(x,)`, `(x, y)` or `(x, y, sample_weight)`, as those methods take them. x is an array, a
            `tf.data.Dataset`, or anything else Keras takes, which is returned as it is.
        likelihood: The layer whose `event_shape` and `support` x must have.
        what: What to call the data in an error.

    Returns:
        `data`, where a dataset checks each batch (see `input_errors`), and where sample weights have
        labels before them: without labels Keras drops the weights.

    Raises:
        InputError: for an empty array or dataset, a wrong shape, or an array with wrong values.
    """
    x, *rest = data
    if isinstance(x, tf.data.Dataset):
        x = _checked_dataset(x, likelihood, what)
    elif isinstance(x, np.ndarray | tf.Tensor):
        check_shape(x.shape, likelihood.event_shape, what)
        if x.shape[0] == 0:
            raise InputError(f"{what} is empty; give at least one example.")
        check_values(x, likelihood, what)
        if len(rest) == 2 and rest[0] is None and rest[1] is not None:
            rest[0] = np.zeros(x.shape[0])
    return (x, *rest)


@contextmanager
def input_errors() -> Iterator[None]:
    """Raises what `checked` found in a dataset as an `InputError`, without TensorFlow's stack."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = re.search(f"{_MARK}(.*?){_MARK}", str(error), re.DOTALL)
        if not found:
            raise
        raise InputError(found.group(1)) from None


def _checked_dataset(
    dataset: tf.data.Dataset, likelihood: DistributionLayer, what: str
) -> tf.data.Dataset:
    if dataset.cardinality().numpy() == 0:
        raise InputError(f"{what} is an empty dataset; give at least one batch.")
    spec = dataset.element_spec
    x_spec = spec[0] if isinstance(spec, tuple) else spec
    if not isinstance(x_spec, tf.TensorSpec):
        raise InputError(
            f"{what} gives {spec}, expected x, (x,), (x, y) or (x, y, sample_weight); map it to that."
        )
    check_shape(x_spec.shape, likelihood.event_shape, what)

    def check(*element: Any) -> Any:
        ok, sentence = _values_verdict(element[0], likelihood, what)
        with tf.control_dependencies(
            [tf.debugging.Assert(ok, [tf.strings.join([_MARK, sentence, _MARK])])]
        ):
            x = tf.identity(element[0])
        return (x, *element[1:]) if isinstance(spec, tuple) else x

    return dataset.map(check, num_parallel_calls=tf.data.AUTOTUNE)


def _values_verdict(
    x: tf.Tensor, likelihood: DistributionLayer, what: str
) -> tuple[tf.Tensor, tf.Tensor]:
    low, high = likelihood.support
    # NaN makes both comparisons false, and an infinity is never within.
    lowest, highest = tf.reduce_min(x), tf.reduce_max(x)
    limit = x.dtype.max
    ok = (lowest >= tf.cast(max(low, -limit), x.dtype)) & (
        highest <= tf.cast(min(high, limit), x.dtype)
    )
    return ok, tf.strings.format(
        f"{what} has values from {{}} to {{}}, where {type(likelihood).__name__} needs finite values "
        f"in [{low:g}, {high:g}]; clean or rescale the data, or choose another likelihood.",
        (lowest, highest),
    )
