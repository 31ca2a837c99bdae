"""The VAE whose answers are known: x = W z + b + σ ε, with z and ε standard normal.

p(x) = N(b, W Wᵀ + σ² I), and p(z|x) = N(M⁻¹ Wᵀ (x - b), σ² M⁻¹) with M = Wᵀ W + σ² I
(Tipping and Bishop 1999, Probabilistic Principal Component Analysis, equations 3 and 7).
"""

from dataclasses import dataclass

import keras
import numpy as np
import scipy.stats
import tensorflow_probability as tfp

from vae_tf import VAE
from vae_tf.layers import HomoscedasticNormal, IndependentNormal, MultivariateNormalTriL


@dataclass(frozen=True)
class LinearGaussian:
    """Its numbers, in float64."""

    weights: np.ndarray  # [X, D]
    bias: np.ndarray  # [X]
    scale: float

    @classmethod
    def random(cls, event_size: int, latent_dim: int, seed: int = 0) -> "LinearGaussian":
        random = np.random.default_rng(seed)
        return cls(
            random.normal(size=(event_size, latent_dim)), random.normal(size=event_size), 0.7
        )

    @property
    def marginal(self) -> "scipy.stats._multivariate.multivariate_normal_frozen":
        covariance = self.weights @ self.weights.T + self.scale**2 * np.eye(len(self.bias))
        return scipy.stats.multivariate_normal(self.bias, covariance)

    def draw(self, n: int, seed: int = 1) -> np.ndarray:
        return self.marginal.rvs(n, random_state=seed).reshape(n, -1)

    def vae(self, exact_posterior: bool = True) -> VAE:
        """The model as a VAE, with the exact posterior or with one that is a little off it."""
        event_size, latent_dim = self.weights.shape
        precision = self.weights.T @ self.weights + self.scale**2 * np.eye(latent_dim)
        kernel = np.linalg.solve(precision, self.weights.T).T  # [X, D]
        covariance = self.scale**2 * np.linalg.inv(precision)
        if exact_posterior:
            posterior = MultivariateNormalTriL(latent_dim)
            # The inverse of the layer's map from parameters to a Cholesky factor.
            to_tril = tfp.bijectors.FillScaleTriL(diag_shift=np.float64(1e-5))
            raw_scale = to_tril.inverse(np.linalg.cholesky(covariance)).numpy()
        else:
            posterior = IndependentNormal([latent_dim])
            raw_scale = np.log(np.expm1(1.2 * np.sqrt(np.diag(covariance))))
        encoder = keras.Sequential(
            [keras.Input((event_size,)), keras.layers.Dense(posterior.params_size)]
        )
        decoder = keras.Sequential([keras.Input((latent_dim,)), keras.layers.Dense(event_size)])
        constant = np.zeros((event_size, len(raw_scale)))
        encoder.set_weights(
            [np.hstack([kernel, constant]), np.hstack([-self.bias @ kernel, raw_scale])]
        )
        decoder.set_weights([self.weights.T, self.bias])
        likelihood = HomoscedasticNormal([event_size], scale=self.scale)
        return VAE(encoder, posterior, decoder, likelihood, seed=7)
