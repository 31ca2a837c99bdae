"""Independent mixtures of discretised logistics: 8-bit images, with several peaks a pixel."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.distributions import QuantizedLogistic
from vae_tf.layers.base import EventShape, event_size
from vae_tf.layers.discretized_logistic import bounded_log_scale, grid_text, on_grid
from vae_tf.layers.elementwise import ElementwiseLayer
from vae_tf.utils.checks import as_count


@keras.saving.register_keras_serializable(package="vae_tf")
class DiscretizedLogisticMixture(ElementwiseLayer):
    """For each element, a mixture of `num_components` discretised logistics.

        p(x) = Σ_k softmax(logits)_k DiscretizedLogistic(x; loc_k, log_scale_k)

    Each element mixes on its own (a mixture of whole events is `MixtureLogistic`), so the colours
    of a pixel are independent given z, unlike in PixelCNN++. The parameters are `[logits, loc,
    log_scale]`, each `[num_components, prod(event_shape)]`: 3 `num_components` planes. Units,
    bounds and levels as in `DiscretizedLogistic`. Draws have no reparameterised gradient.

    Args:
        num_components: int. Number of logistics for each element.
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        levels: int. Number of levels, at least 2. Defaults to 256.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `num_components` is not an int of at least 1, or `levels` of at least 2.
    """

    support = (0.0, 1.0)

    def __init__(
        self,
        num_components: int,
        event_shape: EventShape = (),
        levels: int = 256,
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(event_shape, convert_to_tensor_fn, validate_args, seed, **kwargs)
        self.num_components = as_count("num_components", num_components)
        self.levels = as_count("levels", levels, least=2)
        self._set_params_per_element(3 * self.num_components)

    def _in_support(self, x: tf.Tensor) -> tf.Tensor:
        return super()._in_support(x) & on_grid(x, self.levels)

    @property
    def support_text(self) -> str:
        """What `in_support` asks for."""
        return grid_text(self.levels)

    @staticmethod
    def params_size(num_components: int, event_shape: EventShape = ()) -> int:
        """How many parameters an event of this shape takes: 3 per component and element."""
        return 3 * as_count("num_components", num_components) * event_size(event_shape)

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        logits, loc, log_scale = tf.split(self._vectors(params), 3, axis=-1)
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits),
            QuantizedLogistic(loc, bounded_log_scale(log_scale, self.levels), self.levels),
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "num_components": self.num_components,
            "levels": self.levels,
        }
