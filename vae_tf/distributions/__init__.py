"""Distributions that TFP lacks, or has in a form that float32 or XLA cannot take."""

from vae_tf.distributions.gamma_poisson import GammaPoisson
from vae_tf.distributions.portable_normal import PortableNormal
from vae_tf.distributions.quantized_logistic import QuantizedLogistic
from vae_tf.distributions.stable_continuous_bernoulli import StableContinuousBernoulli
from vae_tf.distributions.stable_mvn_tril import StableMVNTriL

__all__ = [
    "GammaPoisson",
    "PortableNormal",
    "QuantizedLogistic",
    "StableContinuousBernoulli",
    "StableMVNTriL",
]
