"""The likelihood of data of which some elements were not observed."""

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.batch import Batch
from vae_tf.utils.errors import InputError


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
