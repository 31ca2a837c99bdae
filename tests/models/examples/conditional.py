import numpy as np
import scipy.stats

from tests.models.examples.parts import affine
from tests.models.examples.two_layers import normal
from vae_tf.layers import Conditional, HomoscedasticNormal
from vae_tf.models import DirectedModel, Node

# z ~ N(A a + B b, s²), x = W z + V a + t ε: p(x|a, b) is normal.
RANDOM = np.random.default_rng(2)
A, B = RANDOM.normal(size=(2, 2)), RANDOM.normal(size=(3, 2))
W, V = RANDOM.normal(size=(2, 4)), RANDOM.normal(size=(2, 4))
S, T = 0.9, 0.6


def conditional() -> DirectedModel:
    """A conditional model of two inputs, whose prior has weights."""
    p_z = normal({"a": A, "b": B}, np.zeros(2), S**2 * np.eye(2))
    covariance = np.linalg.inv(W @ W.T / T**2 + np.eye(2) / S**2)
    of_x, of_a, of_b = W.T / T**2, A / S**2 - V @ W.T / T**2, B / S**2
    kernels = {"x": of_x @ covariance, "a": of_a @ covariance, "b": of_b @ covariance}
    q_z = normal(kernels, np.full(2, 0.1), 1.2 * covariance)
    p_x = Conditional(
        affine({"z": W, "a": V}, np.zeros(4)), HomoscedasticNormal([4], scale=T), ["z", "a"]
    )
    condition = {"a": (2,), "b": (3,)}
    return DirectedModel({"z": Node(p_z, q_z)}, p_x, condition=condition, seed=3)


def data(n: int) -> dict:
    random = np.random.default_rng(3)
    a, b = random.normal(size=(n, 2)), random.normal(size=(n, 3))
    z = a @ A + b @ B + S * random.normal(size=(n, 2))
    x = z @ W + a @ V + T * random.normal(size=(n, 4))
    return {"x": x, "condition": {"a": a, "b": b}}


def exact(given: dict) -> np.ndarray:
    a, b = given["condition"]["a"], given["condition"]["b"]
    mean = (a @ A + b @ B) @ W + a @ V
    covariance = S**2 * W.T @ W + T**2 * np.eye(4)
    return scipy.stats.multivariate_normal(np.zeros(4), covariance).logpdf(given["x"] - mean)
