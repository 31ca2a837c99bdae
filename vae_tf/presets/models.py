"""The presets. Each is a whole model: networks, posterior, likelihood and prior."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from vae_tf.layers import DistributionLayer
from vae_tf.layers.base import as_shape
from vae_tf.models.vae import VAE
from vae_tf.networks import (
    conv_decoder,
    conv_deep_decoder,
    conv_deep_encoder,
    conv_encoder,
    mlp_decoder,
    mlp_encoder,
)
from vae_tf.networks.building import Sizes, as_sizes, derived_seeds
from vae_tf.networks.images import as_image_shape
from vae_tf.presets.parts import (
    Likelihood,
    Posterior,
    PriorLike,
    as_likelihood,
    as_posterior,
    as_prior,
)
from vae_tf.priors import Prior
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


def mlp(
    event_shape: int | Sequence[int],
    latent_dim: int = 20,
    *,
    likelihood: Likelihood = "bernoulli",
    posterior: Posterior = "normal",
    prior: PriorLike = "standard_normal",
    seed: int | None = None,
    hidden: Sizes = (500,),
    activation: Any = "tanh",
) -> VAE:
    """Dense networks, for data of any shape: Kingma and Welling (2014), appendix C.

    x -> hidden -> q(z|x), and z -> hidden, in reverse order, -> p(x|z).

    Args:
        event_shape: int or sequence of ints. Shape of one x.
        latent_dim: int. D, the size of z. Defaults to 20.
        likelihood: str or `DistributionLayer`. p(x|z). Defaults to "bernoulli".
        posterior: str or `DistributionLayer`. q(z|x). Defaults to "normal".
        prior: str or `Prior`. p(z). Defaults to "standard_normal".
        seed: int. Seed of the initial weights and of the draws of training: the same seed gives the
            same model in any process. Defaults to None (fresh).
        hidden: int or sequence of ints. Units of each hidden layer. Defaults to (500,).
        activation: str or callable. Of the hidden layers; "relu" fits MNIST some 3 nats better.
            Defaults to "tanh".

    Returns:
        `vae_tf.VAE`, built and not compiled.

    Raises:
        InputError: for an argument that is none of these.
    """
    parts = _parts(event_shape, latent_dim, likelihood, posterior, prior, seed)
    hidden = as_sizes("hidden", hidden, least=0)
    return VAE(
        encoder=mlp_encoder(
            parts.event_shape,
            parts.posterior.params_size,
            hidden,
            activation,
            seed=parts.encoder_seed,
        ),
        posterior=parts.posterior,
        decoder=mlp_decoder(
            latent_dim,
            parts.likelihood.params_size,
            hidden[::-1],
            activation,
            seed=parts.decoder_seed,
        ),
        likelihood=parts.likelihood,
        prior=parts.prior,
        seed=seed,
    )


def conv(
    event_shape: Sequence[int],
    latent_dim: int = 20,
    *,
    likelihood: Likelihood = "bernoulli",
    posterior: Posterior = "normal",
    prior: PriorLike = "standard_normal",
    seed: int | None = None,
    filters: Sizes = (32, 64),
    hidden: Sizes = (),
    full_size: bool = False,
    activation: Any = "relu",
) -> VAE:
    """Convolutions of stride 2, for images of any size.

    Args:
        event_shape: sequence of ints. [height, width, channels] or [height, width] of one image.
        latent_dim: int. D, the size of z. Defaults to 20.
        likelihood: str or `DistributionLayer`. p(x|z). Defaults to "bernoulli".
        posterior: str or `DistributionLayer`. q(z|x). Defaults to "normal".
        prior: str or `Prior`. p(z). Defaults to "standard_normal".
        seed: int. Seed of the initial weights and of the draws of training. Defaults to None
            (fresh).
        filters: int or sequence of ints. Channels of the encoder's convolutions, and in reverse
            order of the decoder's. Defaults to (32, 64).
        hidden: int or sequence of ints. Units of dense layers between the encoder's convolutions
            and q(z|x). Defaults to () (none).
        full_size: bool. Whether the decoder has feature maps of the image's size: about 1 nat
            better on MNIST, two to three times slower; see `conv_decoder`. Defaults to False.
        activation: str or callable. Of the hidden layers. Defaults to "relu".

    Returns:
        `vae_tf.VAE`, built and not compiled.

    Raises:
        InputError: for an argument that is none of these, or events that are no images.
    """
    as_image_shape(event_shape)
    parts = _parts(event_shape, latent_dim, likelihood, posterior, prior, seed)
    filters = as_sizes("filters", filters, least=1)
    return VAE(
        encoder=conv_encoder(
            parts.event_shape,
            parts.posterior.params_size,
            filters,
            hidden,
            activation,
            seed=parts.encoder_seed,
        ),
        posterior=parts.posterior,
        decoder=conv_decoder(
            latent_dim,
            parts.event_shape,
            _params_per_element(parts.likelihood),
            filters[::-1],
            full_size,
            activation,
            seed=parts.decoder_seed,
        ),
        likelihood=parts.likelihood,
        prior=parts.prior,
        seed=seed,
    )


def conv_deep(
    event_shape: Sequence[int],
    latent_dim: int = 20,
    *,
    likelihood: Likelihood = "bernoulli",
    posterior: Posterior = "normal",
    prior: PriorLike = "standard_normal",
    seed: int | None = None,
    filters: Sizes = (32, 64, 128),
    blocks: int = 2,
    activation: Any = "silu",
) -> VAE:
    """Stages of residual convolutions, for images of any size.

    Args:
        event_shape: sequence of ints. [height, width, channels] or [height, width] of one image.
        latent_dim: int. D, the size of z. Defaults to 20.
        likelihood: str or `DistributionLayer`. p(x|z). Defaults to "bernoulli".
        posterior: str or `DistributionLayer`. q(z|x). Defaults to "normal".
        prior: str or `Prior`. p(z). Defaults to "standard_normal".
        seed: int. Seed of the initial weights and of the draws of training. Defaults to None
            (fresh).
        filters: int or sequence of ints. Channels of the encoder's stages, and in reverse order of
            the decoder's; each halves the image. Defaults to (32, 64, 128).
        blocks: int. Residual blocks in a stage. Defaults to 2.
        activation: str or callable. Of the hidden layers. Defaults to "silu".

    Returns:
        `vae_tf.VAE`, built and not compiled.

    Raises:
        InputError: for an argument that is none of these, or events that are no images.
    """
    as_image_shape(event_shape)
    parts = _parts(event_shape, latent_dim, likelihood, posterior, prior, seed)
    filters = as_sizes("filters", filters, least=1)
    return VAE(
        encoder=conv_deep_encoder(
            parts.event_shape,
            parts.posterior.params_size,
            filters,
            blocks,
            activation,
            seed=parts.encoder_seed,
        ),
        posterior=parts.posterior,
        decoder=conv_deep_decoder(
            latent_dim,
            parts.event_shape,
            _params_per_element(parts.likelihood),
            filters[::-1],
            blocks,
            activation,
            seed=parts.decoder_seed,
        ),
        likelihood=parts.likelihood,
        prior=parts.prior,
        seed=seed,
    )


class _Parts(NamedTuple):
    """What all presets have in common."""

    event_shape: tuple[int, ...]
    posterior: DistributionLayer
    likelihood: DistributionLayer
    prior: Prior
    encoder_seed: int | None
    decoder_seed: int | None


def _parts(
    event_shape: int | Sequence[int],
    latent_dim: int,
    likelihood: Likelihood,
    posterior: Posterior,
    prior: PriorLike,
    seed: int | None,
) -> _Parts:
    event_shape = as_shape(event_shape)
    latent_dim = as_count("latent_dim", latent_dim)
    # The encoder's, the decoder's, the prior's, the posterior's and the likelihood's.
    seeds = list(islice(derived_seeds(seed), 5))
    likelihood = as_likelihood(likelihood, event_shape, seeds[4])
    return _Parts(
        event_shape=event_shape,
        posterior=as_posterior(posterior, latent_dim, seeds[3]),
        likelihood=likelihood,
        prior=as_prior(prior, latent_dim, likelihood, seeds[2]),
        encoder_seed=seeds[0],
        decoder_seed=seeds[1],
    )


def _params_per_element(likelihood: DistributionLayer) -> int:
    if likelihood.params_per_element is None:
        raise InputError(
            f"A convolutional decoder gives each pixel its parameters, and those of "
            f"{type(likelihood).__name__} belong to the event as a whole; use preset 'mlp', or "
            "another likelihood."
        )
    return likelihood.params_per_element
