import keras
import numpy as np
import tensorflow as tf
from scipy.special import logsumexp
from scipy.stats import norm
from tensorflow_probability import distributions as tfd

from tests.models.examples.parts import Uniform, affine, network
from vae_tf.layers import Conditional, HomoscedasticNormal, OneHotCategorical
from vae_tf.models import DirectedModel, Node

MEANS, T = np.random.default_rng(4).normal(size=(3, 4)), 0.5


class StraightThroughDistribution(tfd.OneHotCategorical):
    reparameterization_type = tfd.FULLY_REPARAMETERIZED

    def _sample_n(self, n, seed=None):
        probs = self.probs_parameter()
        return super()._sample_n(n, seed) + probs - tf.stop_gradient(probs)


@keras.saving.register_keras_serializable(package="tests")
class StraightThrough(OneHotCategorical):
    """A one-hot draw with the gradient of the probabilities."""

    def _distribution(self, params):
        return StraightThroughDistribution(params, dtype=params.dtype)


@keras.saving.register_keras_serializable(package="tests")
class Penalised(Node):
    """A latent with a penalty on confident posteriors, in nats."""

    def penalty(self, known, q, training=False):
        return None if q is None else 0.1 * (np.log(3) - q.entropy())


def discrete() -> DirectedModel:
    """A mixture of three normals with an amortised one-hot posterior."""
    q = Conditional(network(3, hidden=8, x=(4,)), StraightThrough(3), "x")
    p_x = Conditional(affine({"z": MEANS}, np.zeros(4)), HomoscedasticNormal([4], scale=T), "z")
    return DirectedModel({"z": Penalised(Uniform(3), q)}, p_x, seed=3)


def data(n: int) -> np.ndarray:
    random = np.random.default_rng(5)
    return MEANS[random.integers(3, size=n)] + T * random.normal(size=(n, 4))


def exact(x: np.ndarray) -> np.ndarray:
    return logsumexp(norm.logpdf(x[:, None], MEANS, T).sum(-1), axis=1) - np.log(3)
