"""Layers whose elements each have a location and a scale."""

from typing import ClassVar

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import EventShape, event_size, positive_scale
from vae_tf.layers.elementwise import ElementwiseLayer


class LocationScaleLayer(ElementwiseLayer):
    """Base of the layers with the parameters `[loc, raw_scale]`, each flattened to prod(event).

    scale = softplus(raw_scale) within [1e-5, 1e5]. A subclass sets `family`.

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    # A function of loc and scale.
    family: ClassVar[type[tfd.Distribution]]

    params_per_element = 2
    is_density = True

    @staticmethod
    def params_size(event_shape: EventShape = ()) -> int:
        """How many parameters an event of this shape takes: a location and a scale per element."""
        return 2 * event_size(event_shape)

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        loc, raw_scale = self._planes(params)
        return self.family(loc, positive_scale(raw_scale), validate_args=self.validate_args)
