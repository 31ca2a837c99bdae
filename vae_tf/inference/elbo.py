"""The terms of the evidence lower bound."""

import math
from typing import NamedTuple

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.trace import Choice, Latent, Trace
from vae_tf.utils.errors import InputError

KL_ESTIMATORS = ("analytic", "monte_carlo", "auto")


class ElboTerms(NamedTuple):
    """The evidence lower bound of each example, and its two terms, in nats, summed over the event.

    elbo = log_likelihood - kl: Kingma and Welling (2014), equation 3.
    """

    elbo: tf.Tensor  # [B]
    log_likelihood: tf.Tensor  # [B], E_q(z|x) log p(x|z)
    kl: tf.Tensor  # [B], KL(q(z|x) || p(z)), the sum over the latents


def elbo_terms(trace: Trace, kl: str = "auto") -> ElboTerms:
    """The ELBO of each example from K draws, the SGVB estimators of Kingma and Welling (2014).

    With `kl="analytic"`, estimator B (equation 7); with `kl="monte_carlo"`, estimator A (equation 6):

        log_likelihood = 1/K Σ_k log p(x|z_k),   z_k ~ q(z|x)
        kl             = KL(q(z|x) || p(z))                       (B)
                       | 1/K Σ_k [log q(z_k|x) - log p(z_k)]      (A)
        elbo           = log_likelihood - kl

    Args:
        trace: A trace with z ~ q(z|x).
        kl: "analytic", "monte_carlo", or "auto": analytic where TFP knows it.

    Returns:
        `ElboTerms`, nats, `[B]` each.

    Raises:
        InputError: for an unknown estimator, or "analytic" where TFP has no closed form.
    """
    log_likelihood = trace.mean(trace.log_likelihood)
    first, *others = latent_kls(trace, kl).values()
    divergence = tf.add_n([first, *others]) if others else first
    return ElboTerms(log_likelihood - divergence, log_likelihood, divergence)


def latent_kls(trace: Trace, estimator: str = "auto") -> dict[str, tf.Tensor]:
    """KL(q || p) of each latent, given its parents: name -> `[B]` nats; see `elbo_terms`."""
    check_estimator(estimator)
    return {name: _kl(trace, one, estimator) for name, one in trace.latents.items()}


def kl_divergence_per_dimension(trace: Trace, estimator: str = "auto") -> tf.Tensor:
    """KL(q(z_d|x) || p(z_d)) of each example and latent dimension, `[B, D]` nats.

    Latents one after the other, in the order of the trace.

    Raises:
        InputError: unless both q(z|x) and p(z) are `tfd.Independent` over the latent dimensions.
    """
    check_estimator(estimator)
    parts = []
    for latent in trace.latents.values():
        q, p = factors(latent.q, "posterior"), factors(latent.p, "prior")
        # A factor's batch shape is [B, D] or [D], so the KL leaves the sum over D out.
        apart = Latent(p, Choice(latent.z, q, drawn=True))
        part = _kl(trace, apart, estimator)
        size = math.prod(latent.z.shape[2:])
        parts.append(part if part.shape.rank == 2 else tf.reshape(part, [-1, size]))
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=-1)


def _kl(trace: Trace, latent: Latent, estimator: str) -> tf.Tensor:
    # Where z was given or enumerated, q is None: a closed form would be the KL of other draws.
    if latent.q is not None and estimator != "monte_carlo":
        q, p = _comparable(latent.q, latent.p)
        try:
            divergence = tfd.kl_divergence(q, p)
        except NotImplementedError as error:
            if estimator == "analytic":
                raise InputError(
                    f"kl='analytic' needs a closed form of KL({latent.q.name} || "
                    f"{latent.p.name}), and TFP has none; use kl='monte_carlo' or kl='auto'."
                ) from error
        else:
            # Below another latent, q or p differ from draw to draw: the KL is [K, B] and not [B].
            differs = divergence.shape.rank == latent.z.shape.rank - len(latent.q.event_shape)
            return trace.mean(divergence) if differs else divergence
    return trace.mean(latent.log_q - latent.log_p)


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
    loc, scale = d.distribution.loc, d.distribution.scale
    if scale.shape.rank == 0:
        scale = tf.broadcast_to(scale, tf.shape(loc)[-1:])
    return tfd.MultivariateNormalDiag(loc, scale)
