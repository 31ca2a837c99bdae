"""The names of likelihoods, posteriors and priors that a preset takes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from vae_tf import layers, priors
from vae_tf.layers import DistributionLayer
from vae_tf.priors import Prior
from vae_tf.utils.errors import InputError

Likelihood = str | DistributionLayer
Posterior = str | DistributionLayer
PriorLike = str | Prior

# Which is for which data: docs/presets.md. Each is made with a seed, since a layer without one
# takes it from Python's global generator.
LIKELIHOODS: dict[str, Callable[..., DistributionLayer]] = {
    "bernoulli": layers.IndependentBernoulli,
    "continuous_bernoulli": layers.ContinuousBernoulli,
    "normal": partial(layers.HomoscedasticNormal, learn_scale=True),
    "normal_fixed": layers.HomoscedasticNormal,
    "normal_heteroscedastic": layers.IndependentNormal,
    "logistic": layers.IndependentLogistic,
    "discretized_logistic": layers.DiscretizedLogistic,
    "discretized_logistic_mixture": partial(layers.DiscretizedLogisticMixture, 5),
    "poisson": layers.IndependentPoisson,
    "negative_binomial": layers.NegativeBinomial,
}

POSTERIORS: dict[str, Callable[..., DistributionLayer]] = {
    "normal": layers.IndependentNormal,
    "full_covariance": layers.MultivariateNormalTriL,
}

_OR_A_LAYER = ", or a layer of vae_tf.layers"

# Of the latent dimensions, the likelihood, and `seed=` where there is one.
_PRIORS: dict[str, Callable[..., Prior]] = {
    "standard_normal": lambda latent_dim, likelihood, **seed: priors.StandardNormal(latent_dim),
    "gaussian_mixture": lambda latent_dim, likelihood, **seed: priors.GaussianMixture(
        latent_dim, **seed
    ),
    "vamp": lambda latent_dim, likelihood, **seed: priors.VampPrior(
        latent_dim, likelihood.event_shape, support=likelihood.support, **seed
    ),
}

PRIORS = tuple(_PRIORS)


def as_likelihood(
    likelihood: Likelihood, event_shape: Sequence[int], seed: int | None
) -> DistributionLayer:
    """The layer of this name, or the layer itself.

    Raises:
        InputError: for an unknown name, or a layer whose events have another shape.
    """
    if not isinstance(likelihood, DistributionLayer):
        return named("likelihood", likelihood, LIKELIHOODS, _OR_A_LAYER)(event_shape, seed=seed)
    if likelihood.event_shape != tuple(event_shape):
        raise InputError(
            f"The likelihood's events have shape {likelihood.event_shape} and the preset's "
            f"{tuple(event_shape)}; give both the same."
        )
    return likelihood


def as_posterior(posterior: Posterior, latent_dim: int, seed: int | None) -> DistributionLayer:
    """The layer of this name, or the layer itself.

    Raises:
        InputError: for an unknown name, or a layer of another size.
    """
    if not isinstance(posterior, DistributionLayer):
        return named("posterior", posterior, POSTERIORS, _OR_A_LAYER)(latent_dim, seed=seed)
    if posterior.event_shape != (latent_dim,):
        raise InputError(
            f"The posterior's events have shape {posterior.event_shape} and latent_dim is "
            f"{latent_dim}; give both the same."
        )
    return posterior


def as_prior(
    prior: PriorLike, latent_dim: int, likelihood: DistributionLayer, seed: int | None
) -> Prior:
    """The prior of this name, over `latent_dim` dimensions; or the prior itself.

    Raises:
        InputError: for an unknown name.
    """
    if isinstance(prior, Prior):
        return prior
    seeded = {} if seed is None else {"seed": seed}
    make = named("prior", prior, _PRIORS, ", or a vae_tf.priors.Prior")
    return make(latent_dim, likelihood, **seeded)


def named(what: str, name: Any, table: dict[str, Any], or_else: str) -> Any:
    """The entry `name` of `table`.

    Raises:
        InputError: if there is none, with the names there are, and `or_else`.
    """
    if not isinstance(name, str) or name not in table:
        raise InputError(
            f"There is no {what} {name!r}; give one of {', '.join(sorted(table))}{or_else}."
        )
    return table[name]
