"""Presets by name."""

import inspect
from collections.abc import Sequence
from typing import Any

from vae_tf.models.vae import VAE
from vae_tf.presets.parts import Likelihood, Posterior, PriorLike
from vae_tf.utils.errors import InputError
from vae_tf.utils.registry import PRESETS


def names() -> list[str]:
    """The names that `create` knows."""
    return PRESETS.names()


def options(name: str) -> dict[str, Any]:
    """What `create` takes for this preset alone: each option and its default.

    Args:
        name: str. Name of a preset.

    Raises:
        InputError: for an unknown name.
    """
    common = inspect.signature(create).parameters
    return {p.name: p.default for p in PRESETS.parameters(name) if p.name not in common}


def create(
    name: str,
    event_shape: int | Sequence[int],
    latent_dim: int = 20,
    *,
    likelihood: Likelihood = "bernoulli",
    posterior: Posterior = "normal",
    prior: PriorLike = "standard_normal",
    seed: int | None = None,
    **options: Any,
) -> VAE:
    """The preset of this name, built and not compiled.

    Its weights and layers have the dtypes of `keras.config.dtype_policy()` at the time.

    Args:
        name: str. One of `names()`.
        event_shape: int or sequence of ints. Shape of one x.
        latent_dim: int. D, the size of z. Defaults to 20.
        likelihood: str or `DistributionLayer`. p(x|z): a name of `LIKELIHOODS`, or a layer.
            Defaults to "bernoulli".
        posterior: str or `DistributionLayer`. q(z|x): a name of `POSTERIORS`, or a layer. Defaults
            to "normal".
        prior: str or `Prior`. p(z): a name of `PRIORS`, or a prior. Defaults to "standard_normal".
        seed: int. Seed of the initial weights and of the draws of training: the same seed gives the
            same model in any process. Defaults to None (fresh).
        **options: Of the preset: `hidden`, `filters`, ...; see `options(name)`.

    Returns:
        `vae_tf.VAE`.

    Raises:
        InputError: for an unknown preset, likelihood, posterior, prior or option, or a bad value.
    """
    preset = PRESETS.get(name)
    known = _options(name)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InputError(
            f"Preset {name!r} has no option {', '.join(map(repr, unknown))}; its own options are "
            f"{', '.join(sorted(known))}."
        )
    return preset(
        event_shape,
        latent_dim,
        likelihood=likelihood,
        posterior=posterior,
        prior=prior,
        seed=seed,
        **options,
    )


_options = options  # `create` has keyword arguments of that name
