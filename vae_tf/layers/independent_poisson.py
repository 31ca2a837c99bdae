"""Independent Poissons, from log rates."""

import math

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import MAX_LOG_RATE, EventShape, bounded, event_size, is_whole
from vae_tf.layers.elementwise import ElementwiseLayer


@keras.saving.register_keras_serializable(package="vae_tf")
class IndependentPoisson(ElementwiseLayer):
    """Poisson(exp(log_rate)) for each element of an event of `event_shape`: counts.

    log p(x) = x log_rate - exp(log_rate) - log x!. The parameters are the log rates, kept within
    [-16, 16] (rates of 1.1e-7 to 8.9e6: float32 counts no further); outside, the gradient still
    passes, so that an optimizer finds the way back. Draws have no reparameterised gradient.

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    support = (0.0, math.inf)

    def _in_support(self, x: tf.Tensor) -> tf.Tensor:
        return super()._in_support(x) & is_whole(x)

    @property
    def support_text(self) -> str:
        """What `in_support` asks for."""
        return "finite whole numbers of at least 0"

    @staticmethod
    def params_size(event_shape: EventShape = ()) -> int:
        """How many parameters an event of this shape takes: a log rate per element."""
        return event_size(event_shape)

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        (log_rate,) = self._planes(params)
        log_rate = bounded(log_rate, -MAX_LOG_RATE, MAX_LOG_RATE)
        return tfd.Poisson(log_rate=log_rate, validate_args=self.validate_args)
