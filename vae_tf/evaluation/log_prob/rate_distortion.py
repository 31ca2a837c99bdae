"""The rate and the distortion of a model: the two terms of its ELBO."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
from vae_tf.evaluation.log_prob.log_prob_estimate import standard_error
from vae_tf.inference.batch import Batch
from vae_tf.inference.elbo import elbo_terms
from vae_tf.layers.base import event_size
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.utils.checks import as_count
from vae_tf.utils.seeds import Seed, as_seed, fold_in


@dataclass(frozen=True)
class RateDistortion:
    """Means over examples with their standard errors, in nats; -elbo = rate + distortion.

    Attributes:
        rate: float. E KL(q(z|x) || p(z)): nats to say z, given x.
        distortion: float. -E log p(x|z): nats to say x, given z. Of a density it can be negative.
        elbo: float. The evidence lower bound.
        rate_error: float. Standard error of `rate` over the examples.
        distortion_error: float. Of `distortion`.
        elbo_error: float. Of `elbo`.
    """

    rate: float
    distortion: float
    elbo: float
    rate_error: float
    distortion_error: float
    elbo_error: float

    def as_dict(self) -> dict[str, float]:
        """The figures as JSON values."""
        return asdict(self)


def rate_distortion(
    vae: LatentVariableModel,
    x: Any,
    num_samples: int = 1,
    *,
    seed: Seed = 0,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> RateDistortion:
    """The point of a model in the rate-distortion plane: Alemi et al. (2018), Fixing a Broken ELBO.

    The KL is analytic where TFP knows it, and estimated from the same draws as the likelihood
    elsewhere. The draws depend on `seed` and `batch_size`.

    Args:
        vae: The model.
        x: `[N, *event]`, N at least 2, or a dataset; see `as_examples`.
        num_samples: int. Draws of z an example. Defaults to 1.
        seed: int, int tensor of shape [2], or None for fresh draws. Defaults to 0.
        batch_size: int. Examples at once. Defaults to what 16 MiB of decoder outputs hold.
        progress: Called with "rate and distortion", examples done, and N.

    Raises:
        InputError: for fewer than 2 examples, wrong ones, or `num_samples` below 1.
    """
    examples = as_examples(vae, x, least=2)
    samples = as_count("num_samples", num_samples)
    size = as_batch_size(batch_size, len(examples), latents_at_once(vae) // samples)
    seed = as_seed(seed)

    def terms(batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        elbo = elbo_terms(vae.infer(batch, samples, seed=seed))
        return tf.stack([elbo.kl, -elbo.log_likelihood])  # [2, B]

    run = compiled(vae, terms)
    parts = []
    for number, batch, count in batches(examples, size):
        parts.append(run(as_tensors(batch), fold_in(seed, number)).numpy()[:, :count])
        if progress:
            progress("rate and distortion", number * size + count, len(examples))
    rate, distortion = np.concatenate(parts, axis=1).astype(np.float64)
    elbo = -rate - distortion
    return RateDistortion(
        rate=float(rate.mean()),
        distortion=float(distortion.mean()),
        elbo=float(elbo.mean()),
        rate_error=standard_error(rate),
        distortion_error=standard_error(distortion),
        elbo_error=standard_error(elbo),
    )


def bits_per_dim(
    log_prob: float,
    event_shape: int | Sequence[int],
    levels: int | None = None,
    dequantized: bool = False,
) -> float:
    """Log p(x) of a whole event as bits per dimension: lower is better.

        -log p(x) / (n log 2) - log2(spacing),   n = prod(event_shape)

    Of a probability (Bernoulli, discretised logistic, categorical) leave `levels` out. A density on
    [0, 1] times the spacing of the levels is the probability of a level, where the density is even
    over it. Levels k / (levels - 1) have the spacing 1 / (levels - 1), so 1/255 for 8-bit images.
    With uniform noise, (k + u) / levels, the spacing is 1 / levels, and the figure is an upper bound
    on that of the images themselves (Theis et al. 2016, A Note on the Evaluation of Generative
    Models, section 3.1). Without the noise it is no bound: a density of discrete values can be made
    as large as one likes.

    Args:
        log_prob: float. Nats, summed over the event.
        event_shape: int or sequence of ints. Shape of one event.
        levels: int or None. How many integer levels were scaled to the unit interval. Defaults to
            None: nothing was, or p(x|z) is a probability.
        dequantized: bool. Whether x is (k + u) / levels, as of `vae_tf.data.load` with
            `dequantize=True`, and not k / (levels - 1). Defaults to False.

    Raises:
        InputError: if `levels` is not an int of at least 2.
    """
    shift = 0.0
    if levels is not None:
        shift = math.log2(as_count("levels", levels, least=2) - (0 if dequantized else 1))
    return -log_prob / (event_size(event_shape) * math.log(2)) + shift
