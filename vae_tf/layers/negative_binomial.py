"""Independent negative binomials: overdispersed counts."""

import math

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.distributions import GammaPoisson
from vae_tf.layers.base import (
    MAX_LOG_RATE,
    MAX_SCALE,
    EventShape,
    bounded,
    event_size,
    is_whole,
)
from vae_tf.layers.elementwise import ElementwiseLayer


@keras.saving.register_keras_serializable(package="vae_tf")
class NegativeBinomial(ElementwiseLayer):
    """Negative binomial counts for each element of an event of `event_shape`.

    The parameters are `[log μ, log θ]`, each flattened to prod(`event_shape`): the mean, and the
    inverse dispersion, so that the variance is μ + μ²/θ. This is the parameterisation of scvi-tools
    (Lopez et al. (2018), "Deep generative modeling for single-cell transcriptomics"). log μ is kept
    within [-16, 16] and log θ within log [1e-5, 1e5]; outside, the gradient still passes. Draws
    have no reparameterised gradient.

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    params_per_element = 2
    support = (0.0, math.inf)

    def _in_support(self, x: tf.Tensor) -> tf.Tensor:
        return super()._in_support(x) & is_whole(x)

    @property
    def support_text(self) -> str:
        """What `in_support` asks for."""
        return "finite whole numbers of at least 0"

    @staticmethod
    def params_size(event_shape: EventShape = ()) -> int:
        """How many parameters an event of this shape takes: two per element."""
        return 2 * event_size(event_shape)

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        log_mean, log_theta = self._planes(params)
        return GammaPoisson(
            bounded(log_mean, -MAX_LOG_RATE, MAX_LOG_RATE),
            bounded(log_theta, -math.log(MAX_SCALE), math.log(MAX_SCALE)),
            validate_args=self.validate_args,
        )
