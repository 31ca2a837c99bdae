"""A learned mixture of normals."""

import math
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import MIN_SCALE, positive_scale
from vae_tf.priors.base import Encode, Prior
from vae_tf.utils.checks import as_count


@keras.saving.register_keras_serializable(package="vae_tf")
class GaussianMixture(Prior):
    """p(z) = Σ_k softmax(logits)_k N(z; loc_k, diag(scale_k²)), all of it learned with the model.

    The baseline "MoG" of Tomczak and Welling (2018), "VAE with a VampPrior". Its weights are
    `logits` `[K]`, `loc` `[K, D]` and `raw_scale` `[K, D]` (scale = softplus(raw_scale) within
    [1e-5, 1e5]). The components start equally likely, with scale 1 and means drawn from N(0, I):
    together about N(0, 2 I). There is no analytic KL to it.

    Args:
        latent_dim: int. Size D of a latent vector.
        num_components: int. Number K of components. Defaults to 10.
        seed: int. Seed of the initial means: the same seed gives the same means. Defaults to 0.
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `latent_dim` or `num_components` is not a positive int.
    """

    def __init__(
        self, latent_dim: int, num_components: int = 10, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(latent_dim, **kwargs)
        self.num_components = as_count("num_components", num_components)
        self.seed = seed
        shape = (self.num_components, latent_dim)
        initializers = keras.initializers
        self.logits = self.add_weight(
            name="logits", shape=shape[:1], initializer="zeros", autocast=False
        )
        self.loc = self.add_weight(
            name="loc",
            shape=shape,
            initializer=initializers.RandomNormal(stddev=1.0, seed=seed),
            autocast=False,
        )
        raw_one = math.log(math.expm1(1.0 - MIN_SCALE))  # positive_scale of it is 1
        self.raw_scale = self.add_weight(
            name="raw_scale",
            shape=shape,
            initializer=initializers.Constant(raw_one),
            autocast=False,
        )

    def distribution(self, encode: Encode | None = None) -> tfd.Distribution:
        """The mixture, event shape `[latent_dim]`. `encode` is not used."""
        scale = positive_scale(tf.convert_to_tensor(self.raw_scale))
        normals = tfd.Normal(tf.convert_to_tensor(self.loc), scale)
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=tf.convert_to_tensor(self.logits)),
            tfd.Independent(normals, reinterpreted_batch_ndims=1),
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "num_components": self.num_components,
            "seed": self.seed,
        }
