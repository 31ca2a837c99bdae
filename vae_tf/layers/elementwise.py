"""Layers whose event is a set of independent elements, each with parameters of its own."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import DistributionLayer, EventShape, event_size, reshape_event


class ElementwiseLayer(DistributionLayer):
    """Base of the layers with `params_per_element` parameters for each element of the event.

    The last axis of the parameters is `[params_per_element, prod(event_shape)]`, flattened: all of
    the first parameter, then all of the second (`loc`, then `scale`), as in `tfp.layers`. A
    subclass sets `params_per_element` and defines `_elements`.

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    params_per_element: int = 1

    def __init__(
        self,
        event_shape: EventShape = (),
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(event_shape, convert_to_tensor_fn, validate_args, seed, **kwargs)
        self._set_params_per_element(self.params_per_element)

    def _set_params_per_element(self, count: int) -> None:
        self.params_per_element = count
        self._set_params_size(count * event_size(self.event_shape))

    def _distribution(self, params: tf.Tensor) -> tfd.Distribution:
        return tfd.Independent(
            self._elements(params), reinterpreted_batch_ndims=len(self.event_shape)
        )

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        """The elements' distribution: batch shape `[..., *event_shape]`, event shape `[]`."""
        raise NotImplementedError(f"{type(self).__name__} defines no `_elements`")

    def _planes(self, params: tf.Tensor) -> list[tf.Tensor]:
        """`[..., P * prod(event)]` -> P tensors `[..., *event_shape]`."""
        planes = tf.split(params, self.params_per_element, axis=-1)
        return [reshape_event(plane, self.event_shape) for plane in planes]

    def _vectors(self, params: tf.Tensor) -> tf.Tensor:
        """`[..., P * prod(event)]` -> `[..., *event_shape, P]`."""
        count = self.params_per_element
        planes = reshape_event(params, (count, event_size(self.event_shape)))  # [..., P, E]
        lead = tf.shape(params)[:-1]
        shape = tf.concat([lead, self.event_shape, [count]], axis=0)
        return tf.reshape(tf.linalg.matrix_transpose(planes), shape)
