"""A batch of data, with a name for each part."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from vae_tf.utils.errors import InputError


class Batch(NamedTuple):
    """What a step of training or an estimator is given, B examples.

    Attributes:
        x: `[B, *event]`. The data, None where they are to be generated.
        condition: What the densities are conditioned on: a tensor `[B, ...]`, a dict of such, or None.
        label: `[B]` class numbers, negative where unknown; or None.
        weight: `[B]` weights of the examples in the loss, or None.
        mask: `[B, *event]`, or broadcast to it. 1 where an element of x was observed, 0 where it was
            not; or None: all were.
    """

    x: Any
    condition: Any = None
    label: Any = None
    weight: Any = None
    mask: Any = None

    @property
    def size(self) -> Any:
        """B, an int where it is known when a graph is traced."""
        given = [self.x, *tf.nest.flatten(self.condition), self.label]
        for part in given:
            if part is not None:
                part = tf.convert_to_tensor(part)
                return part.shape[0] if part.shape[0] is not None else tf.shape(part)[0]
        raise InputError("The batch is empty; give x, or the condition to generate x from.")


def as_batch(data: Any) -> Batch:
    """Names the parts of a batch.

    Args:
        data: A `Batch`, a dict with the names of its fields, or x.

    Raises:
        InputError: for a dict with other names, or without x.
    """
    if isinstance(data, Batch):
        return data
    if not isinstance(data, Mapping):
        return Batch(data)
    unknown = sorted(set(map(str, data)) - set(Batch._fields))
    if unknown or data.get("x") is None:
        raise InputError(
            f"A batch has the entries {', '.join(map(repr, data))}, expected 'x' and, where the model "
            f"takes them, {', '.join(map(repr, Batch._fields[1:]))}; rename them."
        )
    return Batch(**data)
