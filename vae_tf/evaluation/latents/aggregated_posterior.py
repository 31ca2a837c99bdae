"""The aggregated posterior beside the prior, by their moments."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

from vae_tf.evaluation.batching import (
    Examples,
    as_batch_size,
    as_examples,
    as_tensors,
    batches,
    compiled,
    latents_at_once,
)
from vae_tf.inference.batch import Batch
from vae_tf.inference.choices import draw_p
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.utils.seeds import Seed, as_seed

_PRIOR_DRAWS = 100_000
# Of each posterior, where TFP does not know its moments.
_POSTERIOR_DRAWS = 256
# Examples whose conditions the draws from a conditional prior are for.
_CONDITIONS = 1000


@dataclass(frozen=True, eq=False)
class AggregatedPosterior:
    """Moments of q(z) = 1/N Σ_n q(z|x_n) and of p(z), float64.

    Where they differ, draws from the prior are decoded from places the decoder has not been
    trained at.

    Attributes:
        mean: [D]. E_q(z) z.
        covariance: [D, D]. Cov_q(z) z.
        prior_mean: [D]. E_p(z) z.
        prior_covariance: [D, D]. Cov_p(z) z.
        mean_covariance: [D, D]. Cov_n of the means of q(z|x_n): of the codes.
    """

    mean: np.ndarray
    covariance: np.ndarray
    prior_mean: np.ndarray
    prior_covariance: np.ndarray
    mean_covariance: np.ndarray

    @property
    def code_variances(self) -> np.ndarray:
        """Variances of the codes along their principal axes, largest first, `[D]`."""
        return np.maximum(np.linalg.eigvalsh(self.mean_covariance)[::-1], 0)

    @property
    def gaussian_kl(self) -> float:
        """KL of the normals with the moments of q(z) and of p(z), nats.

        Of a normal prior a lower bound on KL(q(z) || p(z)), because of all densities with the same
        moments the normal has the largest entropy.
        """
        inverse = np.linalg.inv(self.prior_covariance)
        shift = self.mean - self.prior_mean
        log_dets = [np.linalg.slogdet(c)[1] for c in (self.covariance, self.prior_covariance)]
        spread = np.trace(inverse @ self.covariance) - len(shift) + shift @ inverse @ shift
        return float(0.5 * (spread - log_dets[0] + log_dets[1]))

    @property
    def mean_error(self) -> float:
        """Root mean square, over dimensions, of the difference in means, in prior deviations."""
        deviations = np.sqrt(np.diag(self.prior_covariance))
        return float(np.sqrt(np.mean(np.square((self.mean - self.prior_mean) / deviations))))

    @property
    def covariance_error(self) -> float:
        """||Cov_q - Cov_p|| / ||Cov_p||, Frobenius norms: 0 for equal covariances."""
        difference = np.linalg.norm(self.covariance - self.prior_covariance)
        return float(difference / np.linalg.norm(self.prior_covariance))

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values; of the covariances the diagonals."""
        return {
            "mean": self.mean.tolist(),
            "variance": np.diag(self.covariance).tolist(),
            "prior_mean": self.prior_mean.tolist(),
            "prior_variance": np.diag(self.prior_covariance).tolist(),
            "mean_error": self.mean_error,
            "covariance_error": self.covariance_error,
            "code_variances": self.code_variances.tolist(),
        }


def aggregated_posterior(
    vae: LatentVariableModel, x: Any, *, seed: Seed = 0, batch_size: int | None = None
) -> AggregatedPosterior:
    """The first two moments of the aggregated posterior of the examples, exactly, and the prior's.

        E_q(z) z = mean_n m_n,   Cov_q(z) z = mean_n S_n + Cov_n m_n

    with m_n and S_n the mean and covariance of q(z|x_n). A prior that is independent over the
    dimensions has exact moments too; those of a mixture come from 100,000 draws.

    Args:
        vae: The model.
        x: `[N, *event]`, or a dataset; see `as_examples`.
        seed: int, int tensor of shape [2], or None for fresh draws, of a mixture. Defaults to 0.
        batch_size: int. Examples at once. Defaults to what 16 MiB hold, with a covariance each.

    Raises:
        InputError: for no examples, or wrong ones.
    """
    examples = as_examples(vae, x)
    size = as_batch_size(batch_size, len(examples), max(1, latents_at_once(vae) // vae.latent_dim))

    def moments(batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        latents = list(vae.infer(batch, seed=as_seed(0), likelihood=False).latents.values())
        if len(latents) == 1 and latents[0].z.shape.rank == 3:
            try:
                return latents[0].q.mean(), _covariance(latents[0].q)
            except NotImplementedError:
                pass  # TFP does not know them: the draws below give them
        trace = vae.infer(batch, _POSTERIOR_DRAWS, seed=as_seed(0), likelihood=False)
        z = vae.packed(trace)  # [S, B, D]
        return tf.reduce_mean(z, axis=0), tfp.stats.covariance(z, sample_axis=0, event_axis=-1)

    run = compiled(vae, moments)
    means, within = [], np.zeros([vae.latent_dim, vae.latent_dim])
    for _, batch, count in batches(examples, size):
        mean, covariance = (
            part.numpy()[:count].astype(np.float64) for part in run(as_tensors(batch))
        )
        means.append(mean)
        within += covariance.sum(axis=0)
    centres = np.concatenate(means)
    between = np.atleast_2d(np.cov(centres.T, bias=True))
    prior_mean, prior_covariance = _prior_moments(vae, examples.first(_CONDITIONS), seed)
    return AggregatedPosterior(
        centres.mean(axis=0), within / len(centres) + between, prior_mean, prior_covariance, between
    )


def _covariance(distribution: tfd.Distribution) -> tf.Tensor:
    if isinstance(distribution, tfd.Independent):
        return tf.linalg.diag(distribution.variance())
    return distribution.covariance()


def _prior_moments(
    vae: LatentVariableModel, examples: Examples, seed: Seed
) -> tuple[np.ndarray, np.ndarray]:
    """Exact where there is one latent with an independent prior, else those of 100,000 draws."""
    batch = as_tensors(examples.batch)
    one = vae.trace(batch, draw_p(as_seed(0)), infer=False, likelihood=False)
    priors = [latent.p for latent in one.latents.values()]
    p_z = priors[0]
    is_vector = len(priors) == 1 and p_z.batch_shape.rank == 0 and p_z.event_shape.rank == 1
    if is_vector and isinstance(p_z, tfd.Independent):
        mean, covariance = p_z.mean().numpy(), _covariance(p_z).numpy()
        return mean.astype(np.float64), covariance.astype(np.float64)
    if p_z.batch_shape.rank:  # a prior for each condition
        draws, rows = -(-_PRIOR_DRAWS // len(examples)), len(examples)
    else:
        draws, rows, batch = _PRIOR_DRAWS, 1, Batch(None)
    trace = vae.trace(batch, draw_p(as_seed(seed)), draws, infer=False, rows=rows, likelihood=False)
    z = vae.packed(trace).numpy().astype(np.float64).reshape(-1, vae.latent_dim)
    return z.mean(axis=0), np.atleast_2d(np.cov(z.T))
