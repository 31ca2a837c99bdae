"""Named, complete models: a preset is a name, a few keyword arguments, and a model in a page."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.presets.models import conv, conv_deep, mlp  # noqa: E402
from vae_tf.presets.parts import LIKELIHOODS, POSTERIORS, PRIORS  # noqa: E402
from vae_tf.presets.registry import create, names, options  # noqa: E402

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
]
