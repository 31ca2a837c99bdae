"""Checks of data before they reach a model."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.layers.base import DistributionLayer
from vae_tf.training.in_memory import in_memory, is_in_memory
from vae_tf.training.named_parts import is_named, named_parts, role_of_y, without_optionals
from vae_tf.training.values import Rules, Verdict, verdicts
from vae_tf.utils.errors import InputError

# Wraps the sentence in the message of a tf.data assertion, so that it can be found there again.
_MARK = "#vae_tf#"
_VALUES_AT_ONCE = 2**22  # of an array, so that a check takes no memory to speak of


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


def check_values(
    x: Any,
    likelihood: DistributionLayer,
    what: str,
    *,
    scored: bool = False,
    dtype: str = "float32",
) -> None:
    """Looks at each value of x, eagerly and in the dtype that it has.

    Args:
        x: `[B, *event]`.
        likelihood: The layer that x is an observation of.
        what: What to call x in an error.
        scored: bool. Whether x must be in the support of `likelihood`, because p(x) is asked for.
            Otherwise it must be finite and within the interval `likelihood.support`, as the mean of an
            observation is. Defaults to False.
        dtype: str. What the networks compute in. Defaults to "float32".

    Raises:
        InputError: if a value is wrong.
    """
    check_batch(Batch(x), Rules(likelihood, what, scored=scored, dtype=dtype))


def check_batch(batch: Batch, rules: Rules) -> None:
    """Looks at each value of x, the weights, the conditions and the mask, eagerly.

    Raises:
        InputError: if one is wrong.
    """
    parts = [part for part in tf.nest.flatten(batch) if part is not None]
    rows = len(parts[0])
    at_once = max(1, _VALUES_AT_ONCE // max(1, math.prod(parts[0].shape[1:])))
    for start in range(0, rows, at_once):
        some = _rows(batch, slice(start, start + at_once))
        for number, verdict in enumerate(verdicts(some, rules)):
            if not verdict.ok:  # said of all the data
                sentence = list(verdicts(batch, rules))[number].sentence()
                raise InputError(sentence.numpy().decode())


def checked(
    data: Sequence[Any],
    likelihood: DistributionLayer,
    what: str,
    takes: frozenset[str] = frozenset(),
    *,
    scored: bool = True,
    dtype: str = "float32",
) -> tuple[Any, ...]:
    """The data of `fit`, `evaluate` or `predict`, checked now (arrays) or as they are read (tf.data).

    Args:
        data: `(x,)`, `(x, y)` or `(x, y, sample_weight)`, as those methods take them. x is an array, or
            anything that NumPy makes one of; a dict of named arrays; a `tf.data.Dataset`; or what else
            Keras reads batches from, which is returned as it is.
        likelihood: The layer that x is an observation of.
        what: What to call the data in an error.
        takes: Which of "condition" and "label" the model or the objective takes. A y that nobody takes
            is dropped; see `named_parts`.
        scored: bool. Whether x must be in the support of `likelihood`; see `check_values`.
        dtype: str. What the networks compute in. Defaults to "float32".

    Returns:
        `data`, where arrays are NumPy's or TensorFlow's, where a dataset checks each batch (see
        `input_errors`), and where sample weights have labels before them: without labels Keras drops
        the weights.

    Raises:
        InputError: for an empty array or dataset, a wrong shape, an array with wrong values, or data
            without a part that is taken.
    """
    x, *rest = data
    rules = Rules(likelihood, what, takes, scored, dtype)
    if isinstance(x, tf.data.Dataset):
        return (checked_dataset(x, rules), *rest)
    if not is_in_memory(x):
        return (x, *rest)
    batch = in_memory(named_parts(tuple(data), takes), what)
    _check_taken(batch, what, takes)
    check_shape(batch.x.shape, likelihood.event_shape, what)
    _check_rows(batch, what)
    check_batch(batch, rules)
    if is_named((x,)):
        x = {name: part for name, part in batch._asdict().items() if part is not None}
        return (x, *[None] * len(rest))
    role = role_of_y(takes)
    weight = batch.weight
    y = getattr(batch, role) if role else None if weight is None else np.zeros(len(batch.x))
    return (batch.x, y, weight)[: len(data)]


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


def checked_dataset(dataset: tf.data.Dataset, rules: Rules) -> tf.data.Dataset:
    """The dataset with a check of each batch, and without a y that nobody takes.

    Raises:
        InputError: for an empty dataset, a wrong shape, or one without a part that is taken.
    """
    what, takes = rules.what, rules.takes
    if dataset.cardinality().numpy() == 0:
        raise InputError(f"{what} is an empty dataset; give at least one batch.")
    spec = without_optionals(dataset.element_spec)
    kinds = (tf.TensorSpec, Mapping)
    if not isinstance(spec[0] if isinstance(spec, tuple) else spec, kinds):
        raise InputError(
            f"{what} gives {spec}, expected x, (x,), (x, y) or (x, y, sample_weight), or a dict with "
            "'x'; map it to that."
        )
    batch = named_parts(spec, takes)
    _check_taken(batch, what, takes)
    check_shape(batch.x.shape, rules.likelihood.event_shape, what)

    def check(*element: Any) -> Any:
        element = without_optionals(element)
        batch = named_parts(element, takes)
        with tf.control_dependencies([_asserted(verdict) for verdict in verdicts(batch, rules)]):
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


def _asserted(verdict: Verdict) -> tf.Tensor:
    def marked() -> tf.Tensor:
        return tf.strings.join([_MARK, verdict.sentence(), _MARK])

    def fail() -> tf.Tensor:
        with tf.control_dependencies([tf.debugging.Assert(False, [marked()])]):
            return tf.constant(False)

    if verdict.cheap:
        return tf.debugging.Assert(verdict.ok, [marked()])
    return tf.cond(verdict.ok, lambda: tf.constant(True), fail)


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


def _check_rows(batch: Batch, what: str) -> None:
    rows = len(batch.x)
    if rows == 0:
        raise InputError(f"{what} is empty; give at least one example.")
    for name, part in batch._asdict().items():
        for array in tf.nest.flatten(part):
            if array is not None and (array.shape.rank if tf.is_tensor(array) else array.ndim) == 0:
                raise InputError(f"{what} has a {name} that is one number; give one an example.")
            if array is not None and len(array) != rows:
                raise InputError(
                    f"{what} has {rows} examples of x and {len(array)} of {name}; give as many of each."
                )
    if batch.weight is not None and math.prod(batch.weight.shape) != rows:
        raise InputError(
            f"{what} has sample weights of shape {tuple(batch.weight.shape)}, expected ({rows},); give "
            "one weight an example."
        )


def _rows(batch: Batch, rows: slice) -> Batch:
    return tf.nest.map_structure(lambda part: None if part is None else part[rows], batch)
