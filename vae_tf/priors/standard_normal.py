"""The prior of Kingma and Welling."""

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.distributions import PortableNormal
from vae_tf.priors.base import Encode, Prior


@keras.saving.register_keras_serializable(package="vae_tf")
class StandardNormal(Prior):
    """p(z) = N(0, I), without parameters: Kingma and Welling (2014), section 3.

    Args:
        latent_dim: int. Size D of a latent vector.
        **kwargs: For `keras.layers.Layer`.
    """

    def distribution(self, encode: Encode | None = None) -> tfd.Distribution:
        """N(0, I), event shape `[latent_dim]`. `encode` is not used."""
        zeros = tf.zeros([self.latent_dim], self.variable_dtype)
        return tfd.Independent(PortableNormal(zeros, tf.ones_like(zeros)), 1)
