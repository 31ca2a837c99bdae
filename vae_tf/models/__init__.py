"""The models, and what they are put together from."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.models.directed_model import DirectedModel
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.models.loading import load
from vae_tf.models.node import Node
from vae_tf.models.vae import VAE

__all__ = ["VAE", "DirectedModel", "LatentVariableModel", "Node", "load"]
