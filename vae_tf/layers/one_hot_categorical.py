"""One of several classes, as a one-hot vector."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import DistributionLayer
from vae_tf.utils.checks import as_count


@keras.saving.register_keras_serializable(package="vae_tf")
class OneHotCategorical(DistributionLayer):
    """A one-hot vector of `event_size` entries, entry k with probability softmax(logits)_k.

    The parameters are the logits. A draw has no reparameterised gradient; its mean is the vector of
    probabilities. Class ids instead of vectors: `Categorical`.

    Args:
        event_size: int. Number of classes.
        convert_to_tensor_fn: See `DistributionLayer`.
        sample_dtype: str or dtype. Dtype of the draws. Defaults to that of the parameters.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `event_size` is not a positive int.
    """

    support = (0.0, 1.0)

    def __init__(
        self,
        event_size: int,
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        sample_dtype: Any = None,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        size = as_count("event_size", event_size)
        super().__init__([size], convert_to_tensor_fn, validate_args, seed, **kwargs)
        self.event_size = size
        self.sample_dtype = None if sample_dtype is None else tf.as_dtype(sample_dtype).name
        self._set_params_size(size)

    def _in_support(self, x: tf.Tensor) -> tf.Tensor:
        single = tf.reduce_sum(x, axis=-1, keepdims=True) == 1
        return single & ((x == 0) | (x == 1))

    @property
    def support_text(self) -> str:
        """What `in_support` asks for."""
        return "one-hot vectors: a single 1, else 0, finite values in [0, 1]"

    @staticmethod
    def params_size(event_size: int) -> int:
        """How many parameters a vector of this size takes: a logit per entry."""
        return event_size

    def _distribution(self, params: tf.Tensor) -> tfd.Distribution:
        dtype = self.sample_dtype or params.dtype
        return tfd.OneHotCategorical(params, dtype=dtype, validate_args=self.validate_args)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {
            **super().get_config(),
            "event_size": self.event_size,
            "sample_dtype": self.sample_dtype,
        }
        del config["event_shape"]
        return config
