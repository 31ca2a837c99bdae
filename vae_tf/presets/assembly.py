"""A preset put together from its networks and the parts that all presets have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import keras

from vae_tf.layers import DistributionLayer
from vae_tf.layers.base import as_shape
from vae_tf.models.vae import VAE
from vae_tf.networks.building import derived_seeds
from vae_tf.presets.parts import (
    Likelihood,
    Posterior,
    PriorLike,
    as_likelihood,
    as_posterior,
    as_prior,
)
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


@dataclass(frozen=True)
class Parts:
    """What the networks of a preset are made from.

    Attributes:
        event_shape: tuple of int. Shape of one x.
        latent_dim: int. D, the size of z.
        posterior: DistributionLayer. q(z|x).
        likelihood: DistributionLayer. p(x|z).
        encoder_seed: int or None. Seed of the initial weights of the encoder.
        decoder_seed: int or None. Seed of the initial weights of the decoder.
    """

    event_shape: tuple[int, ...]
    latent_dim: int
    posterior: DistributionLayer
    likelihood: DistributionLayer
    encoder_seed: int | None
    decoder_seed: int | None

    @property
    def params_per_element(self) -> int:
        """How many parameters of p(x|z) each element of x has.

        Raises:
            InputError: if the parameters belong to the event as a whole.
        """
        if self.likelihood.params_per_element is None:
            raise InputError(
                f"A convolutional decoder gives each pixel its parameters, and those of "
                f"{type(self.likelihood).__name__} belong to the event as a whole; use preset 'mlp', "
                "or another likelihood."
            )
        return self.likelihood.params_per_element


def assemble(
    event_shape: int | Sequence[int],
    latent_dim: int,
    *,
    likelihood: Likelihood,
    posterior: Posterior,
    prior: PriorLike,
    seed: int | None,
    networks: Callable[[Parts], tuple[keras.Model, keras.Model]],
) -> VAE:
    """Builds a model; see the arguments of `vae_tf.presets.create`.

    Args:
        event_shape: int or sequence of ints. Shape of one x.
        latent_dim: int. D, the size of z.
        likelihood: str or `DistributionLayer`. p(x|z).
        posterior: str or `DistributionLayer`. q(z|x).
        prior: str or `Prior`. p(z).
        seed: int or None. Seed of the initial weights and of the draws of training.
        networks: Function of the `Parts` that gives the encoder and the decoder.

    Returns:
        `vae_tf.VAE`, built and not compiled.

    Raises:
        InputError: for an argument that is none of these.
    """
    shape = as_shape(event_shape)
    latent_dim = as_count("latent_dim", latent_dim)
    seeds = list(islice(derived_seeds(seed), 5))
    encoder_seed, decoder_seed, prior_seed, posterior_seed, likelihood_seed = seeds
    p_x_given_z = as_likelihood(likelihood, shape, likelihood_seed)
    parts = Parts(
        event_shape=shape,
        latent_dim=latent_dim,
        posterior=as_posterior(posterior, latent_dim, posterior_seed),
        likelihood=p_x_given_z,
        encoder_seed=encoder_seed,
        decoder_seed=decoder_seed,
    )
    p_z = as_prior(prior, latent_dim, p_x_given_z, prior_seed)
    encoder, decoder = networks(parts)
    return VAE(encoder, parts.posterior, decoder, p_x_given_z, p_z, seed=seed)
