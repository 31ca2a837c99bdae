"""Operations in the latent space of a trained model. NumPy arrays in and out, seeds as numbers."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.explore.attribute_direction import attribute_direction
from vae_tf.explore.codes import Decoded, codes, decoded
from vae_tf.explore.compress import Compressed, compress
from vae_tf.explore.denoise import Denoised, denoise
from vae_tf.explore.edit import edit
from vae_tf.explore.interpolate import interpolate
from vae_tf.explore.nearest import Neighbours, nearest
from vae_tf.explore.optimize import Optimum, optimize
from vae_tf.explore.traverse import traverse
from vae_tf.explore.variations import variations

__all__ = [
    "Compressed",
    "Decoded",
    "Denoised",
    "Neighbours",
    "Optimum",
    "attribute_direction",
    "codes",
    "compress",
    "decoded",
    "denoise",
    "edit",
    "interpolate",
    "nearest",
    "optimize",
    "traverse",
    "variations",
]
