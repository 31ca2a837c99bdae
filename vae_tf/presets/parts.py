"""The names of likelihoods, posteriors and priors that a preset takes."""

from collections.abc import Callable, Sequence
from typing import Any

from vae_tf import layers, priors
from vae_tf.errors import InputError
from vae_tf.layers import DistributionLayer
from vae_tf.priors import Prior

Likelihood = str | DistributionLayer
Posterior = str | DistributionLayer
PriorLike = str | Prior

# Which is for which data: docs/presets.md.
LIKELIHOODS: dict[str, Callable[[Sequence[int]], DistributionLayer]] = {
    "bernoulli": layers.IndependentBernoulli,
    "continuous_bernoulli": layers.ContinuousBernoulli,
    "normal": lambda event_shape: layers.HomoscedasticNormal(event_shape, learn_scale=True),
    "normal_fixed": layers.HomoscedasticNormal,
    "normal_heteroscedastic": layers.IndependentNormal,
    "logistic": layers.IndependentLogistic,
    "discretized_logistic": layers.DiscretizedLogistic,
    "discretized_logistic_mixture": lambda event_shape: layers.DiscretizedLogisticMixture(
        5, event_shape
    ),
    "poisson": layers.IndependentPoisson,
    "negative_binomial": layers.NegativeBinomial,
}

POSTERIORS: dict[str, Callable[[int], DistributionLayer]] = {
    "normal": layers.IndependentNormal,
    "full_covariance": layers.MultivariateNormalTriL,
}

PRIORS = ("standard_normal", "gaussian_mixture", "vamp")


def as_likelihood(likelihood: Likelihood, event_shape: Sequence[int]) -> DistributionLayer:
    """The layer of this name, or the layer itself.

    Raises:
        InputError: for an unknown name, or a layer whose events have another shape.
    """
    if not isinstance(likelihood, DistributionLayer):
        return named("likelihood", likelihood, LIKELIHOODS)(event_shape)
    if likelihood.event_shape != tuple(event_shape):
        raise InputError(
            f"The likelihood's events have shape {likelihood.event_shape} and the preset's "
            f"{tuple(event_shape)}; give both the same."
        )
    return likelihood


def as_posterior(posterior: Posterior, latent_dim: int) -> DistributionLayer:
    """The layer of this name, or the layer itself.

    Raises:
        InputError: for an unknown name, or a layer of another size.
    """
    if not isinstance(posterior, DistributionLayer):
        return named("posterior", posterior, POSTERIORS)(latent_dim)
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
    makers: dict[str, Callable[[], Prior]] = {
        "standard_normal": lambda: priors.StandardNormal(latent_dim),
        "gaussian_mixture": lambda: priors.GaussianMixture(latent_dim, **seeded),
        "vamp": lambda: priors.VampPrior(
            latent_dim, likelihood.event_shape, support=likelihood.support, **seeded
        ),
    }
    return named("prior", prior, makers)()


def named(what: str, name: Any, table: dict[str, Any]) -> Any:
    """The entry `name` of `table`.

    Raises:
        InputError: if there is none, with the names there are.
    """
    if not isinstance(name, str) or name not in table:
        kind = "" if what in ("preset",) else ", or a layer of your own"
        raise InputError(
            f"There is no {what} {name!r}; give one of {', '.join(sorted(table))}{kind}."
        )
    return table[name]
