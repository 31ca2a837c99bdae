"""The negative binomial, by its mean and inverse dispersion."""

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd


class GammaPoisson(tfd.Distribution):
    """Negative binomial with mean μ and inverse dispersion θ: Poisson(Gamma(θ, rate θ / μ)).

        log p(x) = log Γ(x + θ) - log Γ(θ) - log x! - θ log(1 + μ/θ) - x log(1 + θ/μ)

    Variance μ + μ²/θ; θ → ∞ is the Poisson. The parameters are those of scvi-tools'
    `NegativeBinomial`. `tfd.NegativeBinomial` draws with an operation XLA cannot compile, and its
    log Γ(x + θ) - log Γ(θ) is a difference that loses float32's digits; here both are right.

    Args:
        log_mean: log μ, `[...]`.
        log_inverse_dispersion: log θ, of the same shape and dtype.
        validate_args: bool. Not used: every finite parameter is valid.
        name: str.
    """

    def __init__(
        self,
        log_mean: tf.Tensor,
        log_inverse_dispersion: tf.Tensor,
        validate_args: bool = False,
        name: str = "GammaPoisson",
    ) -> None:
        parameters = dict(locals())
        self.log_mean = tf.convert_to_tensor(log_mean)
        self.log_inverse_dispersion = tf.convert_to_tensor(log_inverse_dispersion)
        super().__init__(
            dtype=self.log_mean.dtype,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=validate_args,
            allow_nan_stats=True,
            parameters=parameters,
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        properties = tfp.util.ParameterProperties
        return {"log_mean": properties(), "log_inverse_dispersion": properties()}

    def _event_shape(self) -> tf.TensorShape:
        return tf.TensorShape([])

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.constant([], tf.int32)

    def _log_prob(self, x: tf.Tensor) -> tf.Tensor:
        x = tf.cast(x, self.dtype)
        theta = tf.exp(self.log_inverse_dispersion)
        logits = self.log_mean - self.log_inverse_dispersion
        # -log(x + θ) - log B(1 + x, θ) = log [Γ(x + θ) / (Γ(θ) x!)]
        log_choose = -tf.math.log(x + theta) - tfp.math.lbeta(1 + x, theta)
        log_prob = log_choose - theta * tf.nn.softplus(logits) - x * tf.nn.softplus(-logits)
        return tf.where(x < 0, tf.constant(float("-inf"), self.dtype), log_prob)

    def _sample_n(self, n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        gamma_seed, poisson_seed = tfp.random.split_seed(seed)
        theta = tf.exp(self.log_inverse_dispersion)
        rate = tfd.Gamma(theta, log_rate=self.log_inverse_dispersion - self.log_mean)
        return tf.stop_gradient(
            tfd.Poisson(rate.sample(n, seed=gamma_seed)).sample(seed=poisson_seed)
        )

    def _mean(self) -> tf.Tensor:
        return tf.exp(self.log_mean)

    def _variance(self) -> tf.Tensor:
        mean = tf.exp(self.log_mean)
        return mean + mean * tf.exp(self.log_mean - self.log_inverse_dispersion)

    def _mode(self) -> tf.Tensor:
        # floor(μ (θ - 1) / θ), where θ > 1
        less = tf.maximum(-tf.math.expm1(-self.log_inverse_dispersion), 0)
        return tf.floor(tf.exp(self.log_mean) * less)
