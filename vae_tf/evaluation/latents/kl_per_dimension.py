"""The KL of each latent dimension."""

from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.evaluation.batching import (
    as_batch_size,
    as_examples,
    as_tensors,
    batches,
    compiled,
    latents_at_once,
)
from vae_tf.inference.batch import Batch
from vae_tf.inference.elbo import kl_divergence_per_dimension
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed, fold_in


def kl_per_dimension(
    vae: LatentVariableModel,
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
    examples = as_examples(vae, x)
    samples = as_count("num_samples", num_samples)
    size = as_batch_size(batch_size, len(examples), latents_at_once(vae) // samples)
    seed = as_seed(seed)

    def divergence(batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        # The likelihood plays no part in a KL.
        trace = vae.infer(batch, samples, seed=seed, likelihood=False)
        parts = kl_divergence_per_dimension(trace)
        return tf.broadcast_to(parts, [batch.x.shape[0], parts.shape[-1]])

    run = compiled(vae, divergence)
    total = np.zeros(vae.latent_dim)
    try:
        for number, batch, count in batches(examples, size):
            total += run(as_tensors(batch), fold_in(seed, number)).numpy()[:count].sum(axis=0)
    except InputError as error:
        raise InputError(
            f"A KL per dimension needs a posterior and a prior that are independent over the latent "
            f"dimensions, and the model has {vae.parts['posterior']} and "
            f"{vae.parts['prior']}; use kl_decomposition."
        ) from error
    return total / len(examples)
