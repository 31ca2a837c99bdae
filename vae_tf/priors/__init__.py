"""Priors p(z) over the latent vector."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.priors.base import Prior
from vae_tf.priors.gaussian_mixture import GaussianMixture
from vae_tf.priors.standard_normal import StandardNormal
from vae_tf.priors.vamp_prior import VampPrior

__all__ = ["GaussianMixture", "Prior", "StandardNormal", "VampPrior"]
