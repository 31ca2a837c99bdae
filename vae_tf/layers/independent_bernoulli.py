"""Independent Bernoullis, from logits."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import EventShape, event_size
from vae_tf.layers.elementwise import ElementwiseLayer


@keras.saving.register_keras_serializable(package="vae_tf")
class IndependentBernoulli(ElementwiseLayer):
    """Bernoulli(sigmoid(logits)) for each element of an event of `event_shape`.

    The parameters are the logits. Its -log p(x|z) is the binary cross-entropy summed over the
    event, in nats: Kingma and Welling (2014), equation 11. A draw is of dtype `sample_dtype`, by
    default the dtype of the parameters, and has no reparameterised gradient.

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        sample_dtype: str or dtype. Dtype of the draws. Defaults to that of the parameters.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    support = (0.0, 1.0)

    def __init__(
        self,
        event_shape: EventShape = (),
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        sample_dtype: Any = None,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(event_shape, convert_to_tensor_fn, validate_args, seed, **kwargs)
        self.sample_dtype = None if sample_dtype is None else tf.as_dtype(sample_dtype).name

    @staticmethod
    def params_size(event_shape: EventShape = ()) -> int:
        """How many parameters an event of this shape takes: a logit per element."""
        return event_size(event_shape)

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        (logits,) = self._planes(params)
        dtype = self.sample_dtype or params.dtype
        return tfd.Bernoulli(logits=logits, dtype=dtype, validate_args=self.validate_args)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "sample_dtype": self.sample_dtype}
