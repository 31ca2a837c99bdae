"""Checks of data before they reach a model."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.layers.base import DistributionLayer
from vae_tf.training.named_parts import is_named, named_parts, role_of_y
from vae_tf.utils.errors import InputError

# Wraps the sentence in the message of a tf.data assertion, so that it can be found there again.
_MARK = "#vae_tf#"


def check_built(model: keras.Model) -> None:
    """Looks for a layer that has not made its weights: they would be neither trained nor saved.

    Raises:
        InputError: if there is one.
    """
    for layer in model._flatten_layers(include_self=False):
        if not layer.built:
            raise InputError(
                f"The layer {layer.name!r} of {type(model).__name__} has no weights yet; make them in "
                f"the constructor, after super().__init__(), by {layer.name}.build((None, ...)) or by "
                "calling it once."
            )


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


def checked(
    data: Sequence[Any],
    likelihood: DistributionLayer,
    what: str,
    takes: frozenset[str] = frozenset(),
) -> tuple[Any, ...]:
    """The data of `fit`, `evaluate` or `predict`, with x checked now (arrays) or as read (tf.data).

    Args:
        data: `(x,)`, `(x, y)` or `(x, y, sample_weight)`, as those methods take them. x is an array, a
            dict of named arrays, a `tf.data.Dataset`, or anything else Keras takes, which is returned
            as it is.
        likelihood: The layer whose `event_shape` and `support` x must have.
        what: What to call the data in an error.
        takes: Which of "condition" and "label" the model or the objective takes. A y that nobody takes
            is dropped; see `named_parts`.

    Returns:
        `data`, where a dataset checks each batch (see `input_errors`), and where sample weights have
        labels before them: without labels Keras drops the weights.

    Raises:
        InputError: for an empty array or dataset, a wrong shape, an array with wrong values, or data
            without a part that is taken.
    """
    x, *rest = data
    if isinstance(x, tf.data.Dataset):
        return (_checked_dataset(x, likelihood, what, takes), *rest)
    if not isinstance(x, np.ndarray | tf.Tensor | Mapping):
        return (x, *rest)
    batch = named_parts(tuple(data), takes)
    _check_taken(batch, what, takes)
    check_shape(tf.convert_to_tensor(batch.x).shape, likelihood.event_shape, what)
    if len(batch.x) == 0:
        raise InputError(f"{what} is empty; give at least one example.")
    check_values(_observed(batch), likelihood, what)
    if is_named((x,)):
        x = {name: part for name, part in batch._asdict().items() if part is not None}
        return (x, *[None] * len(rest))
    if rest and (role_of_y(takes) is None or rest[0] is None):
        weighted = len(rest) == 2 and rest[1] is not None
        rest[0] = np.zeros(len(x)) if weighted else None
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
    dataset: tf.data.Dataset, likelihood: DistributionLayer, what: str, takes: frozenset[str]
) -> tf.data.Dataset:
    if dataset.cardinality().numpy() == 0:
        raise InputError(f"{what} is an empty dataset; give at least one batch.")
    spec = dataset.element_spec
    kinds = (tf.TensorSpec, Mapping)
    if not isinstance(spec[0] if isinstance(spec, tuple) else spec, kinds):
        raise InputError(
            f"{what} gives {spec}, expected x, (x,), (x, y) or (x, y, sample_weight), or a dict with "
            "'x'; map it to that."
        )
    batch = named_parts(spec, takes)
    _check_taken(batch, what, takes)
    check_shape(batch.x.shape, likelihood.event_shape, what)

    def check(*element: Any) -> Any:
        batch = named_parts(element, takes)
        ok, sentence = _values_verdict(_observed(batch), likelihood, what)
        with tf.control_dependencies(
            [tf.debugging.Assert(ok, [tf.strings.join([_MARK, sentence, _MARK])])]
        ):
            batch = batch._replace(x=tf.identity(batch.x))
        if is_named(element):
            return {name: part for name, part in batch._asdict().items() if part is not None}
        if not isinstance(spec, tuple):
            return batch.x
        role = role_of_y(takes)
        if batch.weight is not None:
            # Keras' form of a batch with weights has a y.
            y = tf.zeros(tf.shape(batch.x)[:1]) if role is None else getattr(batch, role)
            return batch.x, y, batch.weight
        return (batch.x,) if role is None else (batch.x, getattr(batch, role))

    return dataset.map(check, num_parallel_calls=tf.data.AUTOTUNE)


def _check_taken(batch: Batch, what: str, takes: frozenset[str]) -> None:
    for name in sorted(takes):
        if getattr(batch, name) is None:
            raise InputError(
                f"{what} has no {name}, which the model or its objective takes; give a dict "
                f"{{'x': ..., '{name}': ...}}, or (x, {name})."
            )
    label = batch.label
    if label is not None and tf.as_dtype(label.dtype).is_integer is False:
        raise InputError(
            f"{what} has labels of type {tf.as_dtype(label.dtype).name}, expected class numbers, "
            "negative where unknown; number the classes from 0."
        )


def _observed(batch: Batch) -> tf.Tensor:
    """x, with 0 where the mask says that nothing was observed."""
    x = tf.convert_to_tensor(batch.x)
    if batch.mask is None:
        return x
    return tf.where(tf.cast(batch.mask, tf.bool), x, tf.zeros_like(x))


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
