"""Any distribution, from a function of the parameters."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import DistributionLayer, EventShape, as_shape, full_precision
from vae_tf.utils.errors import InputError


@keras.saving.register_keras_serializable(package="vae_tf")
class DistributionLambda(DistributionLayer):
    """The distribution that `make_distribution_fn` makes of the parameters.

    `params_size` is None: the function takes a last axis of any size, and what it cannot use is its
    to refuse. `event_shape` is None until a distribution has been made, then that one's event
    shape; give `event_shape` where it must be known before (a distribution with another is then
    refused). The function gets parameters in float32 or float64, and keeping scales positive is its
    own work.

    To be saved the function must be registered (`keras.saving.register_keras_serializable`); a
    lambda is saved as code without its module's names, which Keras loads only with
    `safe_mode=False`. Variables that the function uses are not trained or saved with the layer:
    subclass `DistributionLayer` for those.

    Args:
        make_distribution_fn: Function of a tensor `[..., P]` that gives a `tfd.Distribution` with
            batch shape `[...]`.
        convert_to_tensor_fn: See `DistributionLayer`.
        event_shape: int or sequence of ints. Shape of one event. Defaults to None, unknown.
        validate_args: bool. Not used: the function makes the distribution. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `make_distribution_fn` is not callable.
    """

    def __init__(
        self,
        make_distribution_fn: Callable[[tf.Tensor], tfd.Distribution],
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        event_shape: EventShape | None = None,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__((), convert_to_tensor_fn, validate_args, seed, **kwargs)
        if isinstance(make_distribution_fn, dict):  # from a config
            make_distribution_fn = keras.saving.deserialize_keras_object(make_distribution_fn)
        if not callable(make_distribution_fn):
            raise InputError(
                "make_distribution_fn is a function of the parameters that gives a "
                f"tfd.Distribution; got {make_distribution_fn!r}."
            )
        self.make_distribution_fn = make_distribution_fn
        self._declared_event_shape = None if event_shape is None else as_shape(event_shape)
        self.event_shape = self._declared_event_shape
        self._set_params_size(None)

    # Any number of parameters: the one layer whose class cannot say more than its instances.
    params_size = None

    def distribution(self, params: tf.Tensor) -> tfd.Distribution:
        """`make_distribution_fn` of these parameters; see `DistributionLayer.distribution`.

        Raises:
            InputError: if the function gives something else, or another event shape than declared.
        """
        distribution = self.make_distribution_fn(full_precision(tf.convert_to_tensor(params)))
        if not isinstance(distribution, tfd.Distribution):
            raise InputError(
                f"make_distribution_fn of {self.name} gave {distribution!r}; "
                "it must return a tfd.Distribution."
            )
        shape = distribution.event_shape
        if self._declared_event_shape is not None and not shape.is_compatible_with(
            self._declared_event_shape
        ):
            raise InputError(
                f"{self.name} was declared with event shape {self._declared_event_shape}, but "
                f"make_distribution_fn gave one with {tuple(shape)}; make them agree "
                "(`tfd.Independent` turns batch axes into event axes)."
            )
        if shape.is_fully_defined():
            self.event_shape = tuple(shape)
        return distribution

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "make_distribution_fn": keras.saving.serialize_keras_object(self.make_distribution_fn),
            "event_shape": self._declared_event_shape,
        }
