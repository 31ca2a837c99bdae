"""Importance weights of draws from the posterior, and the bound they give."""

import math

import tensorflow as tf

from vae_tf.inference.elbo import Densities


def log_importance_weights(d: Densities) -> tf.Tensor:
    """Log w_k = log p(x|z_k) + log p(z_k) - log q(z_k|x), nats, `[K, B]`."""
    return d.log_p_x_given_z + d.p_z.log_prob(d.z) - d.q_z_given_x.log_prob(d.z)


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
