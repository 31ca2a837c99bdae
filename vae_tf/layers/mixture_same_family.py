"""A mixture of distributions of one family, each over the whole event."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import DistributionLayer, full_precision, shown
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


@keras.saving.register_keras_serializable(package="vae_tf")
class MixtureSameFamily(DistributionLayer):
    """p(x) = Σ_k softmax(logits)_k p_k(x), with `num_components` components made by one layer.

    The parameters are `[logits, parameters of component 1, parameters of component 2, ...]`. As in
    `tfp.layers`, draws have no reparameterised gradient, and there is no analytic KL.

    Args:
        num_components: int. Number of components.
        component_layer: `DistributionLayer`. Makes the components, from parameters
            `[..., num_components, component_layer.params_size]`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `num_components` is not a positive int or `component_layer` no distribution
            layer.
    """

    def __init__(
        self,
        num_components: int,
        component_layer: Any,
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(component_layer, dict):  # from a config
            component_layer = keras.saving.deserialize_keras_object(component_layer)
        if not isinstance(component_layer, DistributionLayer):
            raise InputError(
                "component_layer is a distribution layer (a function of the parameters goes into "
                f"`DistributionLambda`); got {component_layer!r}."
            )
        shape = component_layer.event_shape
        super().__init__(shape or (), convert_to_tensor_fn, validate_args, seed, **kwargs)
        self.event_shape = shape
        self.num_components = as_count("num_components", num_components)
        self.component_layer = component_layer
        self.support = component_layer.support
        self.is_density = component_layer.is_density
        component_size = component_layer.params_size
        self._set_params_size(
            None if component_size is None else self.num_components * (1 + component_size)
        )

    def _in_support(self, x: tf.Tensor) -> tf.Tensor:
        return self.component_layer.in_support(x)

    @property
    def support_text(self) -> str:
        """What `in_support` asks for."""
        return self.component_layer.support_text

    @staticmethod
    def params_size(num_components: int, component_params_size: int) -> int:
        """How many parameters a mixture takes: a logit and a component's, per component."""
        return num_components * (1 + component_params_size)

    def distribution(self, params: tf.Tensor) -> tfd.Distribution:
        """The mixture with these parameters; see `DistributionLayer.distribution`."""
        if self.params_size is not None:
            return super().distribution(params)
        params = full_precision(tf.convert_to_tensor(params))
        size = params.shape[-1] if params.shape.rank else None
        if size is None or size <= self.num_components or size % self.num_components:
            raise InputError(
                f"{type(self).__name__} expected parameters of shape [..., a multiple of "
                f"{self.num_components}], got {shown(params.shape)}; give the layer before it a "
                "logit and a component's parameters for each component."
            )
        distribution = self._distribution(params)
        self.event_shape = self.component_layer.event_shape
        return distribution

    def _distribution(self, params: tf.Tensor) -> tfd.Distribution:
        count = self.num_components
        shape = tf.concat([tf.shape(params)[:-1], [count, params.shape[-1] // count - 1]], axis=0)
        components = self.component_layer.distribution(tf.reshape(params[..., count:], shape))
        return tfd.MixtureSameFamily(tfd.Categorical(params[..., :count]), components)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {
            **super().get_config(),
            "num_components": self.num_components,
            "component_layer": keras.saving.serialize_keras_object(self.component_layer),
        }
        del config["event_shape"]
        return config
