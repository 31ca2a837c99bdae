"""Independent categoricals over class ids: discrete data."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import EventShape, event_size, is_whole
from vae_tf.layers.elementwise import ElementwiseLayer
from vae_tf.utils.checks import as_count


@keras.saving.register_keras_serializable(package="vae_tf")
class Categorical(ElementwiseLayer):
    """Each element of an event of `event_shape` is one of `num_classes` class ids 0, 1, ...

    p(x = k) = softmax(logits)_k. The parameters are the logits, `[num_classes, prod(event_shape)]`
    flattened: a plane per class. Observations and draws are floats (0.0, 1.0, ...), as other data
    is; an id outside 0 ... num_classes - 1 has no meaning. A class id has no mean, so
    `point_estimate` is the mode. Draws have no reparameterised gradient.

    Args:
        event_shape: int or sequence of ints. Shape of one event.
        num_classes: int. Number of classes, at least 2.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `num_classes` is not an int of at least 2.
    """

    def __init__(
        self,
        event_shape: EventShape,
        num_classes: int,
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(event_shape, convert_to_tensor_fn, validate_args, seed, **kwargs)
        self.num_classes = as_count("num_classes", num_classes, least=2)
        self.support = (0.0, self.num_classes - 1.0)
        self._set_params_per_element(self.num_classes)

    def _in_support(self, x: tf.Tensor) -> tf.Tensor:
        return super()._in_support(x) & is_whole(x)

    @property
    def support_text(self) -> str:
        """What `in_support` asks for."""
        return f"class numbers 0, 1, ... in [0, {self.num_classes - 1}]"

    @staticmethod
    def params_size(event_shape: EventShape, num_classes: int) -> int:
        """How many parameters an event of this shape takes: a logit per class and element."""
        return as_count("num_classes", num_classes, least=2) * event_size(event_shape)

    def point_estimate(self, distribution: tfd.Distribution) -> tf.Tensor:
        """The one value that stands for `distribution`: its mode, `[..., *event_shape]`."""
        return distribution.mode()

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        logits = self._vectors(params)
        return tfd.Categorical(logits, dtype=params.dtype, validate_args=self.validate_args)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "num_classes": self.num_classes}
