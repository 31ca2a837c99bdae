"""The KL as mutual information plus the marginal KL of the aggregated posterior."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.evaluation.batching import Progress, as_examples, as_tensors, batches, compiled
from vae_tf.evaluation.log_prob.log_prob_estimate import standard_error
from vae_tf.inference.batch import Batch
from vae_tf.inference.elbo import factors
from vae_tf.inference.trace import Latent
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed, fold_in

_ROWS = 256  # posteriors and draws that meet at once: 256 x 256 x D numbers


@dataclass(frozen=True)
class KLDecomposition:
    """E KL(q(z|x) || p(z)) = I_q(x; z) + KL(q(z) || p(z)), in nats, from one draw an example.

    With a posterior and a prior that are independent over the dimensions the second part is
    `total_correlation` + `dimension_wise_kl`. The errors are standard errors over the draws.

    Attributes:
        kl: float. The left side, by the same draws.
        mutual_information: float. I_q(x; z), at most log N.
        marginal_kl: float. KL(q(z) || p(z)): how far the aggregated posterior is off the prior.
        total_correlation: float or None. KL(q(z) || Π_d q(z_d)). None for a posterior that is not
            independent over the dimensions.
        dimension_wise_kl: float or None. Σ_d KL(q(z_d) || p(z_d)). None as above, or for such a
            prior.
        mutual_information_error: float.
        marginal_kl_error: float.
        examples: int. N.
        saturated: bool. Whether I_q(x; z) is within 5 % of log N: then the examples hardly overlap
            in latent space, and more of them would give more mutual information and less
            `marginal_kl`.
    """

    kl: float
    mutual_information: float
    marginal_kl: float
    total_correlation: float | None
    dimension_wise_kl: float | None
    mutual_information_error: float
    marginal_kl_error: float
    examples: int
    saturated: bool

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return dict(vars(self))


def kl_decomposition(
    vae: LatentVariableModel, x: Any, *, seed: Seed = 0, progress: Progress | None = None
) -> KLDecomposition:
    """Takes the KL apart by the aggregated posterior q(z) = 1/N Σ_n q(z|x_n) of the examples.

        I_q(x; z) = E log q(z|x_n) - log q(z),   KL(q(z) || p(z)) = E log q(z) - log p(z)

    Hoffman and Johnson (2016), ELBO Surgery, equation 6; the further parts are those of Chen et al.
    (2018), Isolating Sources of Disentanglement, equation 2. One z is drawn from each q(z|x_n), and
    q(z) is the mean over all N posteriors, not an estimate from a batch: the time grows with N².
    The empirical distribution of the N examples is what x means here, so I_q is the information
    about which of them z came from.

    Args:
        vae: The model.
        x: `[N, *event]`, N at least 2, or a dataset; see `as_examples`.
        seed: int, int tensor of shape [2], or None for fresh draws. Defaults to 0.
        progress: Called with "KL decomposition", examples done, and N.

    Raises:
        InputError: for fewer than 2 examples, wrong ones, or a model of several latents.
    """
    examples = as_examples(vae, x, least=2)
    seed, total = as_seed(seed), len(examples)
    like = _posterior(vae, as_tensors(examples.first(1).batch), seed)
    posterior_factorises, prior_factorises = _factorises(like.q), _factorises(like.p)
    in_block = compiled(vae, lambda *arguments: _block(vae, *arguments))
    blocks = [
        (
            number,
            [part.numpy() for part in in_block(as_tensors(batch), fold_in(seed, number))],
            count,
        )
        for number, batch, count in batches(examples, min(_ROWS, total))
    ]
    log_sums = compiled(vae, lambda *arguments: _log_sums(like.q, *arguments))
    parts = []
    for number, (z, own, prior, *_), count in blocks:
        sums: Any = -np.inf
        for _, (_, _, _, *params), meant in blocks:
            mask = np.where(np.arange(len(z)) < meant, 0, -np.inf).astype(z.dtype)
            arguments = [tf.constant(part) for part in (z, mask, *params)]
            sums = np.logaddexp(sums, log_sums(*arguments).numpy())
        log_q = sums - math.log(total)  # of z, and of each z_d: [R, 1 + D] or [R, 1]
        rows = np.stack([own, prior, log_q[:, 0], log_q[:, 1:].sum(axis=1)])  # [4, R]
        parts.append(rows[:, :count].astype(np.float64))
        if progress:
            progress("KL decomposition", min((number + 1) * _ROWS, total), total)
    log_q_z_given_x, log_p_z, log_q_z, log_q_z_d = np.concatenate(parts, axis=1)  # [N] each
    information, marginal = log_q_z_given_x - log_q_z, log_q_z - log_p_z
    total_correlation = dimension_wise = None
    if posterior_factorises:
        total_correlation = float((log_q_z - log_q_z_d).mean())
        if prior_factorises:
            dimension_wise = float((log_q_z_d - log_p_z).mean())
    return KLDecomposition(
        kl=float((log_q_z_given_x - log_p_z).mean()),
        mutual_information=float(information.mean()),
        marginal_kl=float(marginal.mean()),
        total_correlation=total_correlation,
        dimension_wise_kl=dimension_wise,
        mutual_information_error=standard_error(information),
        marginal_kl_error=standard_error(marginal),
        examples=total,
        saturated=bool(information.mean() > 0.95 * math.log(total)),
    )


def _posterior(vae: LatentVariableModel, batch: Batch, seed: tf.Tensor) -> Latent:
    """The one latent of a trace without the likelihood.

    Raises:
        InputError: if there are several, or if TFP cannot take its posterior apart into tensors.
    """
    latents = vae.infer(batch, seed=seed, likelihood=False).latents
    latent = next(iter(latents.values()))
    is_vector = len(latents) == 1 and latent.z.shape.rank == 3
    if not is_vector or not isinstance(latent.q, tf.__internal__.CompositeTensor):
        raise InputError(
            "A KL decomposition needs a model of one latent vector with a posterior of plain tensors, "
            f"and this one has {', '.join(latents)}; read kl_per_dimension."
        )
    return latent


def _block(vae: LatentVariableModel, batch: Batch, seed: tf.Tensor) -> list[tf.Tensor]:
    """Z `[R, D]`, log q(z|x) and log p(z) `[R]`, and the tensors that the posteriors consist of."""
    latent = _posterior(vae, batch, seed)
    params = tf.nest.flatten(latent.q, expand_composites=True)
    return [latent.z[0], latent.log_q[0], latent.log_p[0], *params]


def _log_sums(
    like: tfd.Distribution, z: tf.Tensor, mask: tf.Tensor, *params: tf.Tensor
) -> tf.Tensor:
    """Log Σ_n q(z|x_n), and log Σ_n q(z_d|x_n) where q factorises.

    Args:
        like: A posterior of the same kind.
        z: `[R, D]`.
        mask: `[C]`, 0 or -inf for those that do not count.
        *params: The tensors that the C posteriors consist of.

    Returns:
        `[R, 1 + D]`, or `[R, 1]` for a posterior that does not factorise.
    """
    q_z_given_x = tf.nest.pack_sequence_as(like, list(params), expand_composites=True)
    z = z[:, tf.newaxis, :]
    if not _factorises(q_z_given_x):
        return tf.reduce_logsumexp(q_z_given_x.log_prob(z) + mask, axis=1)[:, tf.newaxis]
    log_q_d = factors(q_z_given_x, "posterior").log_prob(z)  # [R, C, D]
    log_q = tf.reduce_sum(log_q_d, axis=-1, keepdims=True)  # [R, C, 1]
    both = tf.concat([log_q, log_q_d], axis=-1) + mask[:, tf.newaxis]
    return tf.reduce_logsumexp(both, axis=1)


def _factorises(distribution: tfd.Distribution) -> bool:
    return isinstance(distribution, tfd.Independent)
