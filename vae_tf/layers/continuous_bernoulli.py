"""Independent continuous Bernoullis, from logits: data anywhere in [0, 1]."""

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.distributions import StableContinuousBernoulli
from vae_tf.layers.base import EventShape, event_size
from vae_tf.layers.elementwise import ElementwiseLayer


@keras.saving.register_keras_serializable(package="vae_tf")
class ContinuousBernoulli(ElementwiseLayer):
    """The continuous Bernoulli for each element of an event: grey values in [0, 1].

    p(x) = C(λ) λ^x (1 - λ)^(1 - x) with λ = sigmoid(logits), the parameters, and the normaliser C
    that a Bernoulli on grey values lacks: Loaiza-Ganem and Cunningham (2019), "The continuous
    Bernoulli: fixing a pervasive error in variational autoencoders". It is a density,
    so log p(x) may be positive and does not compare with a Bernoulli's. λ is not the mean; the mean
    is finite for every logit. Draws are reparameterised.

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    support = (0.0, 1.0)
    is_density = True

    @staticmethod
    def params_size(event_shape: EventShape = ()) -> int:
        """How many parameters an event of this shape takes: a logit per element."""
        return event_size(event_shape)

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        (logits,) = self._planes(params)
        return StableContinuousBernoulli(
            logits=logits, dtype=params.dtype, validate_args=self.validate_args
        )
