"""A mixture of distributions over the same classes."""

from collections.abc import Callable
from typing import Any

import keras
from tensorflow_probability import distributions as tfd

from vae_tf.layers.mixture_same_family import MixtureSameFamily
from vae_tf.layers.one_hot_categorical import OneHotCategorical


@keras.saving.register_keras_serializable(package="vae_tf")
class CategoricalMixtureOfOneHotCategorical(MixtureSameFamily):
    """A mixture of `num_components` one-hot categoricals over `event_size` classes.

    The parameters are `[mixture logits, logits of component 1, ...]`. Its mean is the vector of the
    classes' probabilities.

    Args:
        event_size: int. Number of classes.
        num_components: int. Number of components.
        convert_to_tensor_fn: See `DistributionLayer`.
        sample_dtype: str or dtype. Dtype of the draws. Defaults to that of the parameters.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    def __init__(
        self,
        event_size: int,
        num_components: int,
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        sample_dtype: Any = None,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        component = OneHotCategorical(event_size, sample_dtype=sample_dtype)
        super().__init__(
            num_components, component, convert_to_tensor_fn, validate_args, seed, **kwargs
        )
        self.event_size = component.event_size
        self.sample_dtype = component.sample_dtype

    @staticmethod  # its arguments are those of tfp.layers, not the base's
    def params_size(event_size: int, num_components: int) -> int:  # type: ignore[override]
        """How many parameters this mixture takes: a logit and a vector of logits per component."""
        return num_components * (1 + event_size)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {
            **super().get_config(),
            "event_size": self.event_size,
            "sample_dtype": self.sample_dtype,
        }
        del config["component_layer"]
        return config
