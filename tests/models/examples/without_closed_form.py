import keras
import numpy as np
import tensorflow as tf
from tensorflow_probability import bijectors as tfb
from tensorflow_probability import distributions as tfd

from tests.linear_gaussian import LinearGaussian
from tests.models.examples.parts import affine
from vae_tf import VAE
from vae_tf.distributions import PortableNormal
from vae_tf.layers import DistributionLayer, HomoscedasticNormal
from vae_tf.layers.base import event_size, positive_scale

MODEL = LinearGaussian.random(event_size=5, latent_dim=2)


@keras.saving.register_keras_serializable(package="tests")
class Skewed(DistributionLayer):
    """A normal pushed through sinh(arcsinh(.) + skewness): TFP knows neither its mean nor its KL."""

    def __init__(self, event_shape, **kwargs):
        super().__init__(event_shape, **kwargs)
        self._set_params_size(self.params_size(event_shape))

    @staticmethod
    def params_size(event_shape):
        return 3 * event_size(event_shape)

    def _distribution(self, params):
        loc, raw_scale, skewness = tf.split(params, 3, axis=-1)
        bend = tfb.SinhArcsinh(skewness=0.3 * tf.tanh(skewness))
        bijector = tfb.Chain([tfb.Shift(loc), tfb.Scale(positive_scale(raw_scale)), bend])
        base = PortableNormal(tf.zeros_like(loc), tf.ones_like(loc))
        return tfd.Independent(tfd.TransformedDistribution(base, bijector), 1)


def without_closed_form() -> VAE:
    """The generative model is linear-Gaussian, so log p(x) is known."""
    posterior = Skewed([2])
    precision = MODEL.weights.T @ MODEL.weights + MODEL.scale**2 * np.eye(2)
    gain = np.linalg.solve(precision, MODEL.weights.T).T
    deviation = MODEL.scale * np.sqrt(np.diag(np.linalg.inv(precision)))
    raw = [np.log(np.expm1(1.3 * deviation)), np.full(2, 0.5)]
    encoder = affine(
        {"x": np.hstack([gain, np.zeros([5, 4])])}, np.hstack([-MODEL.bias @ gain, *raw])
    )
    decoder = affine({"z": MODEL.weights.T}, MODEL.bias)
    return VAE(encoder, posterior, decoder, HomoscedasticNormal([5], scale=MODEL.scale), seed=3)


def data(n: int) -> np.ndarray:
    return MODEL.draw(n)


def exact(x: np.ndarray) -> np.ndarray:
    return MODEL.marginal.logpdf(x)
