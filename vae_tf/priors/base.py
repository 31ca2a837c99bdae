"""The base of the priors."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.utils.checks import as_count

Encode = Callable[[tf.Tensor], tfd.Distribution]


class Prior(keras.layers.Layer):
    """Base of the priors p(z): a layer that holds the prior's weights and gives its distribution.

    A prior makes its weights at construction, with `autocast=False`, so that a density keeps its
    digits under a mixed precision policy.

    Args:
        latent_dim: int. Size D of a latent vector.
        **kwargs: For `keras.layers.Layer`: `name`, `dtype`, ...

    Attributes:
        latent_shape: tuple of int. Shape of one latent, `(latent_dim,)` here. A prior of another shape
            sets it, and `latent_dim` to its size.

    Raises:
        InputError: if `latent_dim` is not a positive int.
    """

    def __init__(self, latent_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latent_dim = as_count("latent_dim", latent_dim)
        self.latent_shape: tuple[int, ...] = (self.latent_dim,)
        self.built = True

    def distribution(self, encode: Encode | None = None) -> tfd.Distribution:
        """p(z).

        Args:
            encode: The model's x -> q(z|x). Only a prior made of posteriors asks for it
            (`VampPrior`).

        Returns:
            `tfd.Distribution` with batch shape `[]` and event shape `[latent_dim]`, in the dtype of
            the layer's variables (float32 under a mixed precision policy).
        """
        raise NotImplementedError(f"{type(self).__name__} defines no `distribution`")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "latent_dim": self.latent_dim}
