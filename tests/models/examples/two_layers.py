import numpy as np
import scipy.stats
import tensorflow_probability as tfp

from tests.models.examples.parts import affine
from vae_tf.layers import Conditional, HomoscedasticNormal, MultivariateNormalTriL
from vae_tf.models import DirectedModel, Node
from vae_tf.priors import StandardNormal

# z2 ~ N(0, I), z1 = A z2 + s ε, x = W z1 + b + t ε, everything normal, so p(x) is known.
RANDOM = np.random.default_rng(0)
A, W, B = RANDOM.normal(size=(3, 2)), RANDOM.normal(size=(5, 3)), RANDOM.normal(size=5)
S, T = 0.8, 0.7
MARGINAL = scipy.stats.multivariate_normal(
    B, W @ (A @ A.T + S**2 * np.eye(3)) @ W.T + T**2 * np.eye(5)
)


def two_layers(off: float = 0.0) -> DirectedModel:
    """With the exact posteriors, or with deviations and means that are `off` them."""
    # p(z2|x), of the joint normal of z2 and x; p(z1|x, z2), of the prior A z2 and the likelihood.
    gain_2 = A.T @ W.T @ np.linalg.inv(MARGINAL.cov)
    covariance_2 = np.eye(2) - gain_2 @ W @ A
    covariance_1 = np.linalg.inv(W.T @ W / T**2 + np.eye(3) / S**2)
    gain_x, gain_z = covariance_1 @ W.T / T**2, covariance_1 @ A / S**2
    q_2 = normal({"x": gain_2.T}, -gain_2 @ B + off, covariance_2 * (1 + off))
    q_1 = normal({"x": gain_x.T, "z2": gain_z.T}, -gain_x @ B + off, covariance_1 * (1 + off))
    p_1 = normal({"z2": A.T}, np.zeros(3), S**2 * np.eye(3))
    p_x = Conditional(affine({"z1": W.T}, B), HomoscedasticNormal([5], scale=T), "z1")
    return DirectedModel({"z2": Node(StandardNormal(2), q_2), "z1": Node(p_1, q_1)}, p_x, seed=3)


def normal(kernels: dict, bias: np.ndarray, covariance: np.ndarray) -> Conditional:
    """N(affine function of the inputs, covariance)."""
    to_tril = tfp.bijectors.FillScaleTriL(diag_shift=np.float64(1e-5))
    raw = to_tril.inverse(np.linalg.cholesky(covariance)).numpy()
    constant = {name: np.zeros([len(kernel), len(raw)]) for name, kernel in kernels.items()}
    kernels = {name: np.hstack([kernel, constant[name]]) for name, kernel in kernels.items()}
    network = affine(kernels, np.hstack([bias, raw]))
    return Conditional(network, MultivariateNormalTriL(len(bias)), list(kernels))


def data(n: int) -> np.ndarray:
    return MARGINAL.rvs(n, random_state=1)
