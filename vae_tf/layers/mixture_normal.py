"""A mixture of normals over the whole event."""

from collections.abc import Callable
from typing import Any

import keras
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import EventShape
from vae_tf.layers.independent_normal import IndependentNormal
from vae_tf.layers.mixture_same_family import MixtureSameFamily


@keras.saving.register_keras_serializable(package="vae_tf")
class MixtureNormal(MixtureSameFamily):
    """A mixture of `num_components` independent normals, each over the whole event.

        p(x) = Σ_k softmax(logits)_k Π_i N(x_i; loc_ki, scale_ki)

    The parameters are `[logits, loc and raw_scale of component 1, ...]`, a component's as in
    `IndependentNormal`. Draws have no reparameterised gradient, and there is no analytic KL.

    Args:
        num_components: int. Number of components.
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    def __init__(
        self,
        num_components: int,
        event_shape: EventShape = (),
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        component = IndependentNormal(event_shape, validate_args=validate_args)
        super().__init__(
            num_components, component, convert_to_tensor_fn, validate_args, seed, **kwargs
        )

    @staticmethod
    def params_size(num_components: int, event_shape: EventShape = ()) -> int:
        """How many parameters this mixture takes: a logit and a component's, per component."""
        return num_components * (1 + IndependentNormal.params_size(event_shape))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {**super().get_config(), "event_shape": self.event_shape}
        del config["component_layer"]
        return config
