"""The preset of residual convolutions."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from vae_tf.models.vae import VAE
from vae_tf.networks import conv_deep_decoder, conv_deep_encoder
from vae_tf.networks.building import as_sizes
from vae_tf.networks.images import as_image_shape
from vae_tf.presets.assembly import Parts, assemble
from vae_tf.presets.parts import Likelihood, Posterior, PriorLike
from vae_tf.utils.registry import PRESETS


@PRESETS.register("conv-deep")
def conv_deep(
    event_shape: Sequence[int],
    latent_dim: int = 20,
    *,
    likelihood: Likelihood = "bernoulli",
    posterior: Posterior = "normal",
    prior: PriorLike = "standard_normal",
    seed: int | None = None,
    filters: int | Sequence[int] = (32, 64, 128),
    blocks: int = 2,
    activation: str | Callable[..., Any] = "silu",
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
    filters = as_sizes("filters", filters, least=1)

    def networks(parts: Parts) -> tuple[keras.Model, keras.Model]:
        return (
            conv_deep_encoder(
                parts.event_shape,
                parts.posterior.params_size,
                filters,
                blocks,
                activation,
                seed=parts.encoder_seed,
            ),
            conv_deep_decoder(
                parts.latent_dim,
                parts.event_shape,
                parts.params_per_element,
                filters[::-1],
                blocks,
                activation,
                seed=parts.decoder_seed,
            ),
        )

    return assemble(
        event_shape,
        latent_dim,
        likelihood=likelihood,
        posterior=posterior,
        prior=prior,
        seed=seed,
        networks=networks,
    )
