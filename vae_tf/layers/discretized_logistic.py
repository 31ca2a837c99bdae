"""Independent discretised logistics: 8-bit images."""

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.distributions import QuantizedLogistic
from vae_tf.layers.base import EventShape, bounded, event_size
from vae_tf.layers.elementwise import ElementwiseLayer
from vae_tf.utils.checks import as_count

_ROUNDING = {tf.float16: 2.0**-10, tf.bfloat16: 2.0**-7, tf.float32: 2.0**-23}
MAX_LOG_SCALE = 3.0  # e^3 is ten times the range: flat between the outermost levels


@keras.saving.register_keras_serializable(package="vae_tf")
class DiscretizedLogistic(ElementwiseLayer):
    """A logistic rounded to `levels` values k / (levels - 1) in [0, 1], for each element.

    It is a probability mass function: the lowest and the highest level take the tails, and the
    `levels` masses sum to one, so log p(x) / log 2 / dimensions is bits per dimension as papers on
    8-bit images report them. Salimans et al. (2017), "PixelCNN++", equation 2; its distribution is
    `vae_tf.distributions.QuantizedLogistic`.

    The parameters are `[loc, log_scale]`, each flattened to prod(`event_shape`), in the units of
    2x - 1 in [-1, 1] as in PixelCNN++: zero is the middle of the range. log_scale is kept within
    [-7, 3] (its lower end lower above 2000 levels: e^-2 bins); outside, the gradient still passes.
    Draws have no reparameterised gradient.

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        levels: int. Number of levels, at least 2. Defaults to 256.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `levels` is not an int of at least 2.
    """

    params_per_element = 2
    support = (0.0, 1.0)

    def __init__(
        self,
        event_shape: EventShape = (),
        levels: int = 256,
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(event_shape, convert_to_tensor_fn, validate_args, seed, **kwargs)
        self.levels = as_count("levels", levels, least=2)

    def _in_support(self, x: tf.Tensor) -> tf.Tensor:
        return super()._in_support(x) & on_grid(x, self.levels)

    @property
    def support_text(self) -> str:
        """What `in_support` asks for."""
        return grid_text(self.levels)

    @staticmethod
    def params_size(event_shape: EventShape = ()) -> int:
        """How many parameters an event of this shape takes: a location and a scale per element."""
        return 2 * event_size(event_shape)

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        loc, log_scale = self._planes(params)
        return QuantizedLogistic(loc, bounded_log_scale(log_scale, self.levels), self.levels)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "levels": self.levels}


def bounded_log_scale(log_scale: tf.Tensor, levels: int) -> tf.Tensor:
    """`log_scale` within the bounds for this many levels on [-1, 1]."""
    least = min(-7.0, math.log(2 / (levels - 1)) - 2)  # -7 is PixelCNN++'s for 256 levels
    return bounded(log_scale, least, MAX_LOG_SCALE)


def on_grid(x: tf.Tensor, levels: int) -> tf.Tensor:
    """Whether floats are k / (levels - 1), up to what their dtype rounds."""
    tolerance = 1e-3 + (levels - 1) * _ROUNDING.get(x.dtype, 0.0)
    level = tf.cast(x, tf.float64 if x.dtype == tf.float64 else tf.float32) * (levels - 1)
    return tf.abs(level - tf.round(level)) <= tolerance


def grid_text(levels: int) -> str:
    """What `on_grid` asks for."""
    return f"finite values k/{levels - 1} in [0, 1]"
