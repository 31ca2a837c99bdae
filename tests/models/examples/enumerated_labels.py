import keras
import numpy as np
import scipy.stats
from scipy.special import logsumexp

from tests.models.examples.parts import Uniform, affine, network
from tests.models.examples.two_layers import normal
from vae_tf.inference import draw_q, enumerated
from vae_tf.layers import Conditional, HomoscedasticNormal, OneHotCategorical
from vae_tf.models import DirectedModel, Node
from vae_tf.objectives import ELBO
from vae_tf.priors import StandardNormal

# y uniform over 3 classes, z ~ N(0, I), x = M y + W z + t ε.
RANDOM = np.random.default_rng(6)
M, W, T = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(2, 4)), 0.6


@keras.saving.register_keras_serializable(package="tests")
class Labelled(DirectedModel):
    """Sums over the label y where it is not known: Kingma et al. (2014), equations 6 and 7."""

    def infer(self, batch, samples=1, *, seed, training=False, **options):
        choose = enumerated("y", 3, batch.label, draw_q(seed))
        return self.trace(batch, choose, 3 * samples, training=training, **options)


@keras.saving.register_keras_serializable(package="tests")
class LabelledELBO(ELBO):
    """The ELBO of a model that knows some of the labels."""

    takes = ("label",)


def enumerated_labels() -> Labelled:
    """With the exact q(z|x, y), so that log p(x) does not depend on q(y|x)."""
    covariance = np.linalg.inv(W @ W.T / T**2 + np.eye(2))
    gain = covariance @ W / T**2
    q_y = Conditional(network(3, hidden=8, x=(4,)), OneHotCategorical(3), "x")
    q_z = normal({"x": gain.T, "y": -M @ gain.T}, np.zeros(2), covariance)
    p_x = Conditional(
        affine({"y": M, "z": W}, np.zeros(4)), HomoscedasticNormal([4], scale=T), ["y", "z"]
    )
    return Labelled({"y": Node(Uniform(3), q_y), "z": Node(StandardNormal(2), q_z)}, p_x, seed=3)


def data(n: int) -> dict:
    random = np.random.default_rng(7)
    y = random.integers(3, size=n)
    x = M[y] + random.normal(size=(n, 2)) @ W + T * random.normal(size=(n, 4))
    return {"x": x, "label": np.where(np.arange(n) % 2, y, -1)}


def exact(given: dict) -> np.ndarray:
    normal = scipy.stats.multivariate_normal(np.zeros(4), W.T @ W + T**2 * np.eye(4))
    log_p = np.stack([normal.logpdf(given["x"] - mean) for mean in M], axis=1) - np.log(3)
    label = given.get("label", np.full(len(log_p), -1))
    return np.where(label < 0, logsumexp(log_p, axis=1), log_p[np.arange(len(log_p)), label])
