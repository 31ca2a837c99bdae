"""Attribution of a latent dimension to pixels, by tf-keras-vis on the encoder."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.attribution.activation_maximization import activation_maximization
from vae_tf.attribution.grad_cam import grad_cam
from vae_tf.attribution.latent_means import latent_means
from vae_tf.attribution.saliency import saliency

__all__ = ["activation_maximization", "grad_cam", "latent_means", "saliency"]
