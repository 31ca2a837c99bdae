"""The preset of dense networks."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from vae_tf.models.vae import VAE
from vae_tf.networks import mlp_decoder, mlp_encoder
from vae_tf.networks.building import as_sizes
from vae_tf.presets.assembly import Parts, assemble
from vae_tf.presets.parts import Likelihood, Posterior, PriorLike
from vae_tf.utils.registry import PRESETS


@PRESETS.register("mlp")
def mlp(
    event_shape: int | Sequence[int],
    latent_dim: int = 20,
    *,
    likelihood: Likelihood = "bernoulli",
    posterior: Posterior = "normal",
    prior: PriorLike = "standard_normal",
    seed: int | None = None,
    hidden: int | Sequence[int] = (500,),
    activation: str | Callable[..., Any] = "tanh",
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
    hidden = as_sizes("hidden", hidden, least=0)

    def networks(parts: Parts) -> tuple[keras.Model, keras.Model]:
        return (
            mlp_encoder(
                parts.event_shape,
                parts.posterior.params_size,
                hidden,
                activation,
                seed=parts.encoder_seed,
            ),
            mlp_decoder(
                parts.latent_dim,
                parts.likelihood.params_size,
                hidden[::-1],
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
