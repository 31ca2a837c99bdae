"""Pictures: NumPy arrays in, a `matplotlib.figure.Figure` out. Needs no display and no TensorFlow.

`save(figure, "picture.png")` writes it; a notebook shows it after `%matplotlib inline`. Pixels go
from 0 (black) to 1 (white).
"""

from vae_tf.pictures.active_units import active_units
from vae_tf.pictures.animation import animation
from vae_tf.pictures.edits import edits
from vae_tf.pictures.interpolations import interpolations
from vae_tf.pictures.kl_per_dimension import kl_per_dimension
from vae_tf.pictures.latent_scatter import latent_scatter
from vae_tf.pictures.learning_curves import learning_curves
from vae_tf.pictures.manifold import manifold
from vae_tf.pictures.ood_histogram import ood_histogram
from vae_tf.pictures.overlays import overlays
from vae_tf.pictures.project import project
from vae_tf.pictures.rate_distortion import rate_distortion
from vae_tf.pictures.reconstructions import reconstructions
from vae_tf.pictures.samples import samples
from vae_tf.pictures.save import save
from vae_tf.pictures.three_panels import three_panels
from vae_tf.pictures.tile import tile
from vae_tf.pictures.traversals import traversals
from vae_tf.utils.former_names import former_names

__getattr__ = former_names(__name__, {"film": "vae_tf.pictures.animation"})

__all__ = [
    "active_units",
    "animation",
    "edits",
    "interpolations",
    "kl_per_dimension",
    "latent_scatter",
    "learning_curves",
    "manifold",
    "ood_histogram",
    "overlays",
    "project",
    "rate_distortion",
    "reconstructions",
    "samples",
    "save",
    "three_panels",
    "tile",
    "traversals",
]
