"""The continuous Bernoulli, with draws that float32 keeps in [0, 1]."""

import tensorflow as tf
from tensorflow_probability import distributions as tfd


class StableContinuousBernoulli(tfd.ContinuousBernoulli):
    """`tfd.ContinuousBernoulli`, its draws by a quantile that is stable at every logit.

    TFP's quantile divides a rounded logarithm by the logit: in float32, draws at logits just above
    zero are wrong in the first digit.
    """

    def _sample_n(self, n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        logits = self._logits_parameter_no_checks()
        shape = tf.concat([[n], tf.shape(logits)], axis=0)
        u = tfd.Uniform(tf.zeros([], logits.dtype), 1).sample(shape, seed=seed)
        # x(u; l) = log1p(u expm1(l)) / l for l < 0, and x(u; l) = 1 - x(1 - u; -l).
        eps = logits.dtype.as_numpy_dtype(2**-20)
        small = tf.abs(logits) < 1e-3
        low = tf.where(small, tf.ones_like(logits), tf.abs(logits))
        q = tf.minimum(tf.where(logits < 0, u, 1 - u), 1 - eps)
        x = -tf.math.log1p(q * tf.math.expm1(-low)) / low
        x = tf.where(logits < 0, x, 1 - x)
        # To the second order; the error is below 1e-3² / 12.
        x = tf.where(small, u + logits * u * (1 - u) / 2, x)
        return tf.clip_by_value(tf.cast(x, self.dtype), 0, 1)
