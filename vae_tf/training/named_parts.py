"""Names for the parts of the data that `fit`, `evaluate` and `predict` take."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from vae_tf.inference.batch import Batch, as_batch

# What is passed on wherever it is given. A label or a condition reaches only who asks for it.
_ALWAYS = frozenset({"x", "weight", "mask"})


def named_parts(data: Any, takes: frozenset[str]) -> Batch:
    """The parts of a batch, or of its tensor specs, by name.

    - `x`, `(x,)`: x.
    - `(x, y)`, `(x, y, sample_weight)`: x, the weight, and y: the label where one is taken, else the
      condition where one is taken, else nothing.
    - `{"x": ..., "condition": ..., "label": ..., "weight": ..., "mask": ...}`: each by its name. A label
      or a condition that nobody takes is dropped.
    - `({"x": ..., ...}, y, sample_weight)`: both.

    Args:
        data: A batch in one of these forms.
        takes: Which of "condition" and "label" the model or the objective takes.

    Raises:
        InputError: for a dict with other names, or without x.
    """
    x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
    batch = as_batch(x)
    given = {name: part for name, part in batch._asdict().items() if part is not None}
    if weight is not None:
        given["weight"] = weight
    role = role_of_y(takes)
    if y is not None and role is not None:
        given.setdefault(role, y)
    return Batch(**{name: part for name, part in given.items() if name in takes | _ALWAYS})


def role_of_y(takes: frozenset[str]) -> str | None:
    """What y of `(x, y)` is: "label", "condition", or None where nobody takes it."""
    return next((role for role in ("label", "condition") if role in takes), None)


def is_named(data: Any) -> bool:
    """Whether x of the data is a dict of named parts."""
    return isinstance(keras.utils.unpack_x_y_sample_weight(data)[0], Mapping)


def without_optionals(data: Any) -> Any:
    """`data`, or their spec, with None for the parts that a generator left out."""
    optional = (tf.experimental.Optional, tf.OptionalSpec)
    return keras.tree.map_structure(lambda part: None if isinstance(part, optional) else part, data)
