"""VAEs of one latent dimension whose log p(x) is an integral over a line."""

from dataclasses import dataclass

import keras
import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from vae_tf import VAE
from vae_tf.layers import HomoscedasticNormal, IndependentNormal
from vae_tf.layers.base import MIN_SCALE


@dataclass(frozen=True)
class OneDimensional:
    """x = right max(z, 0) + left max(-z, 0) + scale ε: two modes of p(z|x), or one where left < 0.

    q(z|x) = N(slope x, q_scale²), whatever p(z|x) is.
    """

    right: float
    left: float
    scale: float
    slope: float
    q_scale: float

    def vae(self) -> VAE:
        encoder = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
        decoder = keras.Sequential(
            [keras.Input((1,)), keras.layers.Dense(2, "relu"), keras.layers.Dense(1)]
        )
        raw_scale = np.log(np.expm1(self.q_scale - MIN_SCALE))
        encoder.set_weights([np.array([[self.slope, 0]]), np.array([0, raw_scale])])
        decoder.set_weights(
            [np.array([[1, -1]]), np.zeros(2), np.array([[self.right], [self.left]]), np.zeros(1)]
        )
        likelihood = HomoscedasticNormal([1], scale=self.scale)
        return VAE(encoder, IndependentNormal([1]), decoder, likelihood, seed=0)

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        z = np.linspace(-12, 12, 100_001)
        mean = self.right * np.maximum(z, 0) + self.left * np.maximum(-z, 0)
        log_joint = norm.logpdf(x, mean, self.scale) + norm.logpdf(z)  # [B, Z]
        return logsumexp(log_joint, axis=1) + np.log(z[1] - z[0])
