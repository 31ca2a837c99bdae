"""The KL of each latent dimension."""

from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.evaluation.batching import (
    as_batch_size,
    as_examples,
    batches,
    compiled,
    latents_at_once,
)
from vae_tf.inference.elbo import Densities, kl_divergence_per_dimension
from vae_tf.models.vae import VAE
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed, fold_in


def kl_per_dimension(
    vae: VAE,
    x: Any,
    num_samples: int = 100,
    *,
    seed: Seed = 0,
    batch_size: int | None = None,
) -> np.ndarray:
    """KL(q(z_d|x) || p(z_d)) of each latent dimension, averaged over the examples; the sum is the KL.

    Analytic where TFP knows it, as for `IndependentNormal` and `StandardNormal`, else the mean of
    `num_samples` draws.

    Args:
        vae: A model with a posterior and a prior that are independent over the latent dimensions.
        x: `[N, *event]`, or a dataset; see `as_examples`.
        num_samples: int. Draws of z an example, where there is no closed form. Defaults to 100.
        seed: int, int tensor of shape [2], or None for fresh draws. Defaults to 0.
        batch_size: int. Examples at once. Defaults to what 16 MiB hold.

    Returns:
        float64 `[D]`, nats.

    Raises:
        InputError: for another model: there the KL is not a sum over dimensions; for no examples,
            or wrong ones.
    """
    examples = as_examples(vae, x).x
    samples = as_count("num_samples", num_samples)
    size = as_batch_size(batch_size, len(examples), latents_at_once(vae) // samples)
    seed = as_seed(seed)

    def divergence(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        q_z_given_x = vae.encode(x)
        z = q_z_given_x.sample(samples, seed=seed)
        # The likelihood plays no part in a KL.
        d = Densities(q_z_given_x, vae.p_z(), z, tf.zeros_like(z[..., 0]))
        return tf.broadcast_to(kl_divergence_per_dimension(d), tf.shape(z)[1:])

    run = compiled(vae, divergence)
    total = np.zeros(vae.latent_dim)
    try:
        for number, batch, count in batches(examples, size):
            total += run(tf.constant(batch), fold_in(seed, number)).numpy()[:count].sum(axis=0)
    except InputError as error:
        raise InputError(
            f"A KL per dimension needs a posterior and a prior that are independent over the latent "
            f"dimensions, and the model has {type(vae.posterior).__name__} and "
            f"{type(vae.prior).__name__}; use kl_decomposition."
        ) from error
    return total / len(examples)
