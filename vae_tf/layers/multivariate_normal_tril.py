"""A normal with a full covariance matrix, from its Cholesky factor."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

from vae_tf.distributions import StableMVNTriL
from vae_tf.layers.base import DistributionLayer, positive_scale
from vae_tf.utils.checks import as_count


@keras.saving.register_keras_serializable(package="vae_tf")
class MultivariateNormalTriL(DistributionLayer):
    """N(loc, L Lᵀ) over vectors, L lower triangular with a positive diagonal.

    The parameters are `[loc, raw]`: `event_size` means, and event_size (event_size + 1) / 2 entries
    that `tfp.math.fill_triangular` lays out as L; its diagonal is then softplus(.) within [1e-5,
    1e5]. As the posterior of a VAE it is the full-covariance Gaussian of Kingma and Welling (2019),
    "An introduction to variational autoencoders", section 2.5.1. Draws are reparameterised; the KL
    to an independent normal (`priors.StandardNormal`) is analytic.

    Args:
        event_size: int. Size of one event.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `event_size` is not a positive int.
    """

    is_density = True

    def __init__(
        self,
        event_size: int,
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        self_size = as_count("event_size", event_size)
        super().__init__([self_size], convert_to_tensor_fn, validate_args, seed, **kwargs)
        self.event_size = self_size
        self._set_params_size(self.params_size(self_size))

    @staticmethod
    def params_size(event_size: int) -> int:
        """How many parameters a vector of this size takes: its mean and a triangle."""
        return event_size + event_size * (event_size + 1) // 2

    def _distribution(self, params: tf.Tensor) -> tfd.Distribution:
        raw = tfp.math.fill_triangular(params[..., self.event_size :])
        # Not `set_diag`: XLA cannot compile its gradient where the batch size is not known.
        below = tf.linalg.band_part(tf.ones_like(raw), -1, 0) - tf.eye(
            self.event_size, dtype=raw.dtype
        )
        tril = below * raw + tf.linalg.diag(positive_scale(tf.linalg.diag_part(raw)))
        loc = params[..., : self.event_size]
        return StableMVNTriL(loc, tril, validate_args=self.validate_args)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {**super().get_config(), "event_size": self.event_size}
        del config["event_shape"]
        return config
