"""The encoder's posterior mean as a functional model, which tf-keras-vis needs."""

from typing import Any

import keras
import tensorflow as tf

from vae_tf.layers.base import DistributionLayer
from vae_tf.models.vae import VAE
from vae_tf.utils.errors import InputError


def latent_means(vae: VAE) -> keras.Model:
    """A functional model from x to the mean of q(z|x), on the layers of the encoder itself.

    tf-keras-vis works on functional models only.

    Args:
        vae: The model.

    Returns:
        `keras.Model`, a list of one `[B, *event]` -> `[B, D]`. It shares its weights with `vae`.

    Raises:
        InputError: if the encoder is no functional or sequential model, or the posterior has no mean in
            closed form.
    """
    encoder = vae.encoder
    try:
        inputs, (outputs,) = encoder.inputs, encoder.outputs
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"Attribution needs an encoder that is a functional or sequential keras.Model of one "
            f"output; got {type(encoder).__name__}."
        ) from error
    try:
        means = _PointEstimate(vae.posterior)(outputs)
    except NotImplementedError as error:
        raise InputError(
            f"Attribution needs a posterior whose mean is known in closed form, and "
            f"{type(vae.posterior).__name__} has none; use IndependentNormal or MultivariateNormalTriL."
        ) from error
    return keras.Model(inputs, means, name="latent_means")


class _PointEstimate(keras.layers.Layer):
    """Parameters of a distribution -> its mean, as a layer."""

    def __init__(self, posterior: DistributionLayer, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.posterior = posterior

    def call(self, params: tf.Tensor) -> tf.Tensor:
        """`[B, P]` -> `[B, D]`."""
        return self.posterior.point_estimate(self.posterior.distribution(params))
