"""A batch of data with a name for each part, and its likelihood."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow_probability import distributions as tfd

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


def observed(batch: Batch) -> tf.Tensor:
    """X with 0 where the mask says that it was not observed; x itself without a mask."""
    if batch.mask is None:
        return batch.x
    return tf.where(tf.cast(batch.mask, tf.bool), batch.x, tf.zeros_like(batch.x))


def log_likelihood(p_x: tfd.Distribution, batch: Batch) -> tf.Tensor:
    """Log p(x | latents), nats, `[K, B]`: with a mask, of the observed elements alone.

    Raises:
        InputError: for a mask, where the elements of x are not independent given the latents.
    """
    x = tf.cast(observed(batch), p_x.dtype)
    if batch.mask is None:
        return p_x.log_prob(x)
    elements = getattr(p_x, "distribution", None)
    if elements is None or elements.event_shape.rank != 0:
        raise InputError(
            f"A mask needs a likelihood whose elements are independent, such as IndependentNormal; "
            f"got {p_x.name}."
        )
    log_p = elements.log_prob(x)  # [K, B, *event]
    # What was not observed is 0 in x, which has a density, so no NaN reaches the gradient.
    kept = tf.where(tf.cast(batch.mask, tf.bool), log_p, tf.zeros_like(log_p))
    return tf.reduce_sum(kept, axis=list(range(len(p_x.batch_shape), len(log_p.shape))))
