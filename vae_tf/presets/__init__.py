"""Named, complete models: a preset is a name, a few keyword arguments, and a model in a page."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.presets.conv import conv
from vae_tf.presets.conv_deep import conv_deep
from vae_tf.presets.mlp import mlp
from vae_tf.presets.parts import LIKELIHOODS, POSTERIORS, PRIORS
from vae_tf.presets.registry import create, names, options
from vae_tf.utils.registry import PRESETS

register = PRESETS.register

__all__ = [
    "LIKELIHOODS",
    "POSTERIORS",
    "PRIORS",
    "conv",
    "conv_deep",
    "create",
    "mlp",
    "names",
    "options",
    "register",
]
