"""Mixtures of one elementwise layer's distribution."""

from collections.abc import Callable
from typing import Any, ClassVar

from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import EventShape
from vae_tf.layers.elementwise import ElementwiseLayer
from vae_tf.layers.mixture_same_family import MixtureSameFamily


class MixtureOfElementwise(MixtureSameFamily):
    """Base of the mixtures whose components are made by a layer of the class `component`.

    The parameters are `[logits, parameters of component 1, parameters of component 2, ...]`.

    Args:
        num_components: int. Number of components.
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    component: ClassVar[type[ElementwiseLayer]]

    def __init__(
        self,
        num_components: int,
        event_shape: EventShape = (),
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        component = self.component(event_shape, validate_args=validate_args)
        super().__init__(
            num_components, component, convert_to_tensor_fn, validate_args, seed, **kwargs
        )

    @classmethod
    def params_size(cls, num_components: int, event_shape: EventShape = ()) -> int:
        """How many parameters this mixture takes: a logit and a component's, per component."""
        return num_components * (1 + cls.component.params_size(event_shape))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {**super().get_config(), "event_shape": self.event_shape}
        del config["component_layer"]
        return config
