"""The prior of Kingma and Welling."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.distributions import PortableNormal
from vae_tf.layers.base import EventShape, as_shape
from vae_tf.priors.base import Encode, Prior


@keras.saving.register_keras_serializable(package="vae_tf")
class StandardNormal(Prior):
    """p(z) = N(0, I), without parameters: Kingma and Welling (2014), section 3.

    Args:
        latent_dim: int or sequence of ints. Size D of a latent vector, or the shape of a latent.
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `latent_dim` is neither.
    """

    def __init__(self, latent_dim: EventShape, **kwargs: Any) -> None:
        if not isinstance(latent_dim, Sequence):
            super().__init__(latent_dim, **kwargs)
            return
        shape = as_shape(latent_dim)
        super().__init__(math.prod(shape), **kwargs)
        self.latent_shape = shape

    def distribution(self, encode: Encode | None = None) -> tfd.Distribution:
        """N(0, I), event shape `latent_shape`. `encode` is not used."""
        zeros = tf.zeros(self.latent_shape, self.variable_dtype)
        return tfd.Independent(PortableNormal(zeros, tf.ones_like(zeros)), len(self.latent_shape))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        shape = self.latent_shape
        return {**super().get_config(), "latent_dim": shape[0] if len(shape) == 1 else shape}
