"""The importance-weighted bound on log p(x), from log weights."""

import math

import tensorflow as tf


def importance_weighted_bound(log_weights: tf.Tensor) -> tf.Tensor:
    """L_K = log 1/K Σ_k w_k, nats, `[K, B]` -> `[B]`: Burda et al. (2016), equation 8.

    A lower bound on log p(x) in expectation, which grows with K to log p(x).
    """
    samples = tf.cast(tf.shape(log_weights)[0], log_weights.dtype)
    return tf.reduce_logsumexp(log_weights, axis=0) - tf.math.log(samples)


def merge_bounds(bound: tf.Tensor, samples: int, other: tf.Tensor, others: int) -> tf.Tensor:
    """L_{K+M} from L_K and L_M of separate draws, nats: lets K be larger than memory holds."""
    sums = tf.stack([bound + math.log(samples), other + math.log(others)])
    return tf.reduce_logsumexp(sums, axis=0) - math.log(samples + others)
