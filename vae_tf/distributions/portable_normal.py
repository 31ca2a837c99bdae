"""The normal whose draws do not depend on how they are computed."""

import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

_PHILOX = tf.random.Algorithm.PHILOX.value
# Integer type of the random bits, and how many of them a mantissa holds besides the half below.
_BITS = {tf.float32: (tf.uint32, 23), tf.float64: (tf.uint64, 52)}


def standard_normal(shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Draws from N(0, 1) that are the same eagerly, in a graph and under XLA, on every device.

    `tf.random.stateless_normal` gives other numbers under XLA for the same seed. The random *bits*
    of Philox for a key are the same everywhere, so the draws are made from them: the middle of one
    of 2^b cells of equal probability, through the inverse normal CDF. The seed is the key itself:
    what TensorFlow does to turn a seed into a key costs XLA on a CPU ten times the draws.

    Args:
        shape: int32 vector.
        seed: As TFP's samplers take it.
        dtype: `tf.float32` or `tf.float64`.
    """
    bits_dtype, count = _BITS[dtype]
    bits = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=shape,
        key=tf.reshape(tf.bitcast(tfp.random.sanitize_seed(seed), tf.uint64), [1]),
        counter=tf.zeros([2], tf.uint64),
        alg=_PHILOX,
        dtype=bits_dtype,
    )
    cell = tf.bitwise.right_shift(bits, tf.constant(8 * bits_dtype.size - count, bits_dtype))
    return tf.math.ndtri((tf.cast(cell, dtype) + 0.5) * 2.0**-count)


class PortableNormal(tfd.Normal):
    """`tfd.Normal` with the draws of `standard_normal`."""

    def _sample_n(self, n: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        loc, scale = tf.convert_to_tensor(self.loc), tf.convert_to_tensor(self.scale)
        batch = tf.broadcast_dynamic_shape(tf.shape(loc), tf.shape(scale))
        draws = standard_normal(tf.concat([[n], batch], axis=0), seed, self.dtype)
        return loc + scale * draws
