"""The logistic, rounded to a grid of levels: PixelCNN++'s distribution of one 8-bit value."""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

# Below this many scales of the logistic a bin the mean is a sum over levels; above, an integral.
_SMOOTH = 0.5
_WINDOW = 16  # levels that the sum takes; e^(-8 / _SMOOTH) of the mass is beyond them


class QuantizedLogistic(tfd.Distribution):
    """A logistic on [-1, 1], rounded to one of `levels` values k / (levels - 1) in [0, 1].

    With half a bin h = 1 / (levels - 1), y = 2x - 1, a = (y - h - loc) / s and b = (y + h - loc) /
    s, the mass of a level is σ(b) - σ(a), except that the lowest and the highest level take the
    tails: σ(b) and 1 - σ(a) (Salimans et al. (2017), "PixelCNN++", equation 2). The difference is
    computed as σ(b) σ(-a) (1 - e^(a - b)), whose logarithm neither cancels nor underflows.

    An observation is read at its nearest level; outside [0, 1] the mass is zero.

    Args:
        loc: Location, in the units of [-1, 1], `[...]`.
        log_scale: log s, in the same units, of the same shape and dtype.
        levels: int. Number of levels, at least 2. Defaults to 256.
        validate_args: bool. Not used: every finite parameter is valid.
        name: str.
    """

    def __init__(
        self,
        loc: tf.Tensor,
        log_scale: tf.Tensor,
        levels: int = 256,
        validate_args: bool = False,
        name: str = "QuantizedLogistic",
    ) -> None:
        parameters = dict(locals())
        self.loc = tf.convert_to_tensor(loc)
        self.log_scale = tf.convert_to_tensor(log_scale)
        self.levels = levels
        super().__init__(
            dtype=self.loc.dtype,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=validate_args,
            allow_nan_stats=True,
            parameters=parameters,
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        return {"loc": tfp.util.ParameterProperties(), "log_scale": tfp.util.ParameterProperties()}

    def _event_shape(self) -> tf.TensorShape:
        return tf.TensorShape([])

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.constant([], tf.int32)

    def _log_prob(self, x: tf.Tensor) -> tf.Tensor:
        top = self.levels - 1
        level = tf.round(tf.cast(x, self.dtype) * top)
        log_prob = self._log_mass(level)
        outside = (level < 0) | (level > top)
        return tf.where(outside, tf.constant(-np.inf, self.dtype), log_prob)

    def _log_mass(self, level: tf.Tensor) -> tf.Tensor:
        """The log mass of the levels `[...]`, whole numbers from 0 to levels - 1, as floats."""
        top = self.levels - 1
        scale = tf.exp(self.log_scale)
        lower = ((2 * level - 1) / top - 1 - self.loc) / scale
        upper = ((2 * level + 1) / top - 1 - self.loc) / scale
        log_bin = tf.math.log(-tf.math.expm1(-2 / (top * scale)))  # log(1 - e^(a - b))
        zero = tf.zeros_like(lower)
        above = tf.where(level <= 0, zero, -tf.nn.softplus(lower))  # log σ(-a)
        below = tf.where(level >= top, zero, -tf.nn.softplus(-upper))  # log σ(b)
        return above + below + tf.where((level <= 0) | (level >= top), zero, log_bin)

    def _sample_n(self, n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        top = self.levels - 1
        y = tfd.Logistic(self.loc, tf.exp(self.log_scale)).sample(n, seed=seed)
        return tf.stop_gradient(tf.clip_by_value(tf.round((y + 1) / 2 * top), 0, top) / top)

    def _mode(self) -> tf.Tensor:
        # The bell's own level, unless the tail that an outermost level collects is heavier.
        top = tf.constant(self.levels - 1, self.dtype)
        bell = tf.clip_by_value(tf.round((self.loc + 1) / 2 * top), 0, top)
        candidates = tf.stack([bell, tf.zeros_like(bell), top * tf.ones_like(bell)])
        best = tf.argmax(self._log_mass(candidates), axis=0)
        level = tf.where(best == 0, bell, tf.where(best == 1, tf.zeros_like(bell), top))
        return level / top

    def _mean(self) -> tf.Tensor:
        """The mean: exact to 1.5e-3 of a bin (6e-6 at 256 levels).

        In units of a bin E[level] = Σ_{j=1..n} σ((μ - j + ½) / s) with n = levels - 1, the sum of
        the masses above each edge. For s above half a bin the sum is the midpoint rule of an
        integral in closed form, with its first correction; below, the terms outside a window around
        μ are 0 or 1. A sum over all levels would take `levels` times the memory.
        """
        n = self.levels - 1
        scale = tf.exp(self.log_scale) * (n / 2)
        loc = (self.loc + 1) * (n / 2)
        # The upper half mirrors the lower, where no difference of large numbers costs digits.
        mirrored = loc > n / 2
        loc = tf.where(mirrored, n - loc, loc)
        # Further out the answer does not change, and float32 would have no digits left for it.
        loc = tf.maximum(loc, -20 * scale - 1)

        smooth = tf.maximum(scale, _SMOOTH)
        low, high = loc / smooth, (loc - n) / smooth
        integral = smooth * (tf.nn.softplus(low) - tf.nn.softplus(high))
        slope = tf.sigmoid(low) * tf.sigmoid(-low) - tf.sigmoid(high) * tf.sigmoid(-high)
        level = integral - slope / (24 * smooth)

        first = tf.clip_by_value(
            tf.stop_gradient(tf.round(loc)) - _WINDOW // 2, 0, max(n - _WINDOW, 0)
        )
        sharp = tf.minimum(scale, _SMOOTH)[..., tf.newaxis]
        edges = first[..., tf.newaxis] + tf.range(min(n, _WINDOW), dtype=self.dtype) + 0.5
        window = first + tf.reduce_sum(tf.sigmoid((loc[..., tf.newaxis] - edges) / sharp), axis=-1)
        level = tf.where(scale > _SMOOTH, level, window)
        return tf.where(mirrored, n - level, level) / n
