"""The terms of the evidence lower bound."""

from typing import NamedTuple, Protocol

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.utils.errors import InputError

KL_ESTIMATORS = ("analytic", "monte_carlo", "auto")


class LatentVariableModel(Protocol):
    """What an objective asks of a model: its three densities."""

    def encode(self, x: tf.Tensor, training: bool = False) -> tfd.Distribution:
        """q(z|x), batch shape [B], event shape [D]."""

    def decode(self, z: tf.Tensor, training: bool = False) -> tfd.Distribution:
        """p(x|z), batch shape `z.shape[:-1]`, event shape of the data."""

    def p_z(self) -> tfd.Distribution:
        """p(z), batch shape [], event shape [D]."""


class ElboTerms(NamedTuple):
    """The evidence lower bound of each example, and its two terms, in nats, summed over the event.

    elbo = log_likelihood - kl: Kingma and Welling (2014), equation 3.
    """

    elbo: tf.Tensor  # [B]
    log_likelihood: tf.Tensor  # [B], E_q(z|x) log p(x|z)
    kl: tf.Tensor  # [B], KL(q(z|x) || p(z))


class Densities(NamedTuple):
    """The densities at K draws of z for each of B examples."""

    q_z_given_x: tfd.Distribution  # batch [B], event [D]
    p_z: tfd.Distribution  # batch [], event [D]
    z: tf.Tensor  # [K, B, D], drawn from q(z|x)
    log_p_x_given_z: tf.Tensor  # [K, B], nats


def densities(
    model: LatentVariableModel,
    x: tf.Tensor,
    *,
    samples: int,
    seed: tf.Tensor,
    training: bool = False,
) -> Densities:
    """Encodes `x`, draws `samples` reparameterised z for each example, and decodes them.

    Args:
        model: The densities q(z|x), p(z), p(x|z).
        x: `[B, *event]`.
        samples: int. K, draws of z an example.
        seed: int32 tensor of shape [2].
        training: bool. Whether the networks run in training mode (dropout, batch normalisation).
    """
    q_z_given_x = model.encode(x, training=training)
    z = q_z_given_x.sample(samples, seed=seed)  # [K, B, D]
    p_x_given_z = model.decode(z, training=training)
    log_p_x_given_z = p_x_given_z.log_prob(tf.cast(x, p_x_given_z.dtype))  # [K, B]
    return Densities(q_z_given_x, model.p_z(), z, log_p_x_given_z)


def elbo_terms(d: Densities, kl: str = "auto") -> ElboTerms:
    """The ELBO of each example from K draws, the SGVB estimators of Kingma and Welling (2014).

    With `kl="analytic"`, estimator B (equation 7); with `kl="monte_carlo"`, estimator A (equation 6):

        log_likelihood = 1/K Σ_k log p(x|z_k),   z_k ~ q(z|x)
        kl             = KL(q(z|x) || p(z))                       (B)
                       | 1/K Σ_k [log q(z_k|x) - log p(z_k)]      (A)
        elbo           = log_likelihood - kl

    Args:
        d: See `densities`.
        kl: "analytic", "monte_carlo", or "auto": analytic where TFP knows it.

    Returns:
        `ElboTerms`, nats, `[B]` each.
    """
    log_likelihood = tf.reduce_mean(d.log_p_x_given_z, axis=0)
    divergence = kl_divergence(d, kl)
    return ElboTerms(log_likelihood - divergence, log_likelihood, divergence)


def kl_divergence(d: Densities, estimator: str = "auto") -> tf.Tensor:
    """KL(q(z|x) || p(z)) of each example, `[B]` nats; see `elbo_terms`.

    Raises:
        InputError: for an unknown estimator, or "analytic" where TFP has no closed form.
    """
    check_estimator(estimator)
    if estimator != "monte_carlo":
        q, p = _comparable(d.q_z_given_x, d.p_z)
        try:
            return tfd.kl_divergence(q, p)
        except NotImplementedError as error:
            if estimator == "analytic":
                raise InputError(
                    f"kl='analytic' needs a closed form of KL({d.q_z_given_x.name} || "
                    f"{d.p_z.name}), and TFP has none; use kl='monte_carlo' or kl='auto'."
                ) from error
    return tf.reduce_mean(d.q_z_given_x.log_prob(d.z) - d.p_z.log_prob(d.z), axis=0)


def kl_divergence_per_dimension(d: Densities, estimator: str = "auto") -> tf.Tensor:
    """KL(q(z_d|x) || p(z_d)) of each example and latent dimension, `[B, D]` nats.

    Raises:
        InputError: unless both q(z|x) and p(z) are `tfd.Independent` over the latent dimensions.
    """
    q, p = factors(d.q_z_given_x, "posterior"), factors(d.p_z, "prior")
    # A factor's batch shape is [B, D] or [D], so `kl_divergence` leaves the sum over D out.
    return kl_divergence(Densities(q, p, d.z, d.log_p_x_given_z), estimator)


def factors(distribution: tfd.Distribution, role: str) -> tfd.Distribution:
    """The one-dimensional distributions that a factorised `distribution` is the product of.

    Args:
        distribution: batch shape `[...]`, event shape [D].
        role: What to call it in the error: "posterior" or "prior".

    Returns:
        Batch shape `[..., D]`, event shape [].

    Raises:
        InputError: if it is not `tfd.Independent`.
    """
    if not isinstance(distribution, tfd.Independent):
        raise InputError(
            f"This objective needs a {role} that is independent over the latent dimensions "
            f"(IndependentNormal, StandardNormal); got {distribution.name}."
        )
    return distribution.distribution


def check_estimator(estimator: str) -> str:
    """`estimator`, if it is one of `KL_ESTIMATORS`.

    Raises:
        InputError: if it is not.
    """
    if estimator not in KL_ESTIMATORS:
        raise InputError(f"kl is one of {', '.join(KL_ESTIMATORS)}; got {estimator!r}.")
    return estimator


def _comparable(q: tfd.Distribution, p: tfd.Distribution) -> tuple[tfd.Distribution, ...]:
    """The same two, as one kind of normal where one is `Independent` and the other multivariate.

    TFP has a closed form for two of either kind, but not for one of each.
    """
    multivariate = tfd.MultivariateNormalLinearOperator
    if isinstance(q, multivariate) or isinstance(p, multivariate):
        return _as_multivariate(q), _as_multivariate(p)
    return q, p


def _as_multivariate(d: tfd.Distribution) -> tfd.Distribution:
    is_normal = isinstance(d, tfd.Independent) and isinstance(d.distribution, tfd.Normal)
    if not is_normal:
        return d
    return tfd.MultivariateNormalDiag(d.distribution.loc, d.distribution.scale)
