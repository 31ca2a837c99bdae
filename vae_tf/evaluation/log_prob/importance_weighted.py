"""The importance-weighted bound on log p(x), for any number of samples."""

from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.evaluation.batching import (
    Progress,
    as_batch_size,
    as_examples,
    as_tensors,
    batches,
    compiled,
    latents_at_once,
)
from vae_tf.evaluation.log_prob.log_prob_estimate import LogProbEstimate, from_log_sums, joined
from vae_tf.evaluation.log_prob.pareto_k import tail_size
from vae_tf.inference.batch import Batch
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.utils.checks import as_count
from vae_tf.utils.seeds import Seed, as_seed, fold_in

_BATCH_SIZE = 100


def importance_weighted_bound(
    vae: LatentVariableModel,
    x: Any,
    num_samples: int = 5000,
    *,
    seed: Seed = 0,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> LogProbEstimate:
    """L_K of each example, with q(z|x) as the proposal: Burda et al. (2016), equation 8.

        L_K = log 1/K Σ_k w_k,   w_k = p(x|z_k) p(z_k) / q(z_k|x),   z_k ~ q(z|x)

    In expectation a lower bound that grows with K to log p(x); it falls short by about half the
    square of its standard error. The sums of w and w² are streamed with the 3 √K largest weights,
    so memory hardly grows with K.

    `VAE.log_prob` is the same bound without its error. The draws depend on `seed` and `batch_size`.

    Args:
        vae: The model.
        x: `[N, *event]`, or a dataset; see `as_examples`.
        num_samples: int. K. Defaults to 5000, as in the paper.
        seed: int, int tensor of shape [2], or None for fresh draws. Defaults to 0.
        batch_size: int. Examples at once. Defaults to 100.
        progress: Called with "importance-weighted bound", examples done, and N.

    Raises:
        InputError: for no examples, wrong ones, or K below 1.
    """
    examples = as_examples(vae, x)
    samples = as_count("num_samples", num_samples)
    size = as_batch_size(batch_size, len(examples), _BATCH_SIZE)
    seed = as_seed(seed)
    kept = min(samples, tail_size(samples) + 1)
    weigh = compiled(
        vae, lambda *arguments: _log_sums(vae, kept, *arguments), latents=samples * len(examples)
    )
    chunk = max(1, latents_at_once(vae) // size)
    found = []
    for number, batch, count in batches(examples, size):
        x_batch, batch_seed = as_tensors(batch), fold_in(seed, number)
        sums, largest = np.full([2, size], -np.inf), np.empty([size, 0])
        for done in range(0, samples, chunk):
            now = min(chunk, samples - done)
            more, largest_of_chunk = weigh(x_batch, now, fold_in(batch_seed, done))
            sums = np.logaddexp(sums, more.numpy())
            largest = np.concatenate([largest, largest_of_chunk.numpy()], axis=1)
            if largest.shape[1] > kept:
                largest = np.partition(largest, -kept, axis=1)[:, -kept:]
        found.append(from_log_sums(sums[0, :count], sums[1, :count], largest[:count].T, samples))
        if progress:
            progress("importance-weighted bound", number * size + count, len(examples))
    all_found = joined(found)
    return LogProbEstimate(
        "importance-weighted bound",
        all_found.value,
        all_found.error,
        samples,
        effective_sample_sizes=all_found.effective_sample_size,
        pareto_k=all_found.pareto_k,
    )


def _log_sums(
    vae: LatentVariableModel, kept: int, batch: Batch, samples: int, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Log Σ_k w_k and log Σ_k w_k² over `samples` draws, `[2, B]`, and the largest, `[B, kept]`."""
    log_w = vae.infer(batch, samples, seed=seed).log_estimates  # [K, B]
    sums = tf.stack([tf.reduce_logsumexp(log_w, axis=0), tf.reduce_logsumexp(2 * log_w, axis=0)])
    # With fewer draws than are kept there is nothing to choose from.
    largest = tf.transpose(log_w)
    return sums, tf.math.top_k(largest, kept).values if samples > kept else largest
