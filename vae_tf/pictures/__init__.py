"""Pictures: NumPy arrays in, a `matplotlib.figure.Figure` out. Needs no display and no TensorFlow.

`save(figure, "picture.png")` writes it; a notebook shows it after `%matplotlib inline`. Pixels go
from 0 (black) to 1 (white).
"""

from vae_tf.pictures.latent_scatter import latent_scatter
from vae_tf.pictures.learning_curves import learning_curves
from vae_tf.pictures.manifold import manifold
from vae_tf.pictures.reconstructions import reconstructions
from vae_tf.pictures.samples import samples
from vae_tf.pictures.save import save
from vae_tf.pictures.tile import tile

__all__ = [
    "latent_scatter",
    "learning_curves",
    "manifold",
    "reconstructions",
    "samples",
    "save",
    "tile",
]
