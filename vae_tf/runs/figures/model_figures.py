"""The figures of a model that training, the run folder and the report share."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vae_tf import pictures
from vae_tf.explore.codes import codes
from vae_tf.models.vae import VAE
from vae_tf.priors import StandardNormal

_SAMPLES = 64
_LINES = 20
_RECONSTRUCTIONS = 20
_LEAST_PROJECTED = 4  # points


def model_figures(
    vae: VAE, x: np.ndarray, y: np.ndarray | None, title: str, seed: int
) -> dict[str, Figure]:
    """Draws what can be drawn of a model: name -> figure.

    For vectors, and images of 1 or 3 channels, "samples" and "reconstructions" of the first
    examples; for images with two latents and a standard normal prior "manifold". With two latents
    or more "latent_scatter" of all examples, above two as their first principal components.

    Args:
        vae: The model.
        x: `[N, *event]`. Examples to reconstruct and to encode.
        y: `[N]`, their labels, or None.
        title: Above each picture.
        seed: int. Of the samples: the same latents each time.
    """
    figures = {}
    is_image = len(vae.event_shape) == 3
    if is_drawable(vae.event_shape):
        samples = vae.sample(_SAMPLES if is_image else _LINES, seed=seed)
        figures["samples"] = pictures.samples(samples, title=title)
        some = x[:_RECONSTRUCTIONS]
        figures["reconstructions"] = pictures.reconstructions(
            some, vae.reconstruct(some), title=title
        )
        # The manifold's grid has equal probability under N(0, I), and under no other prior.
        if is_image and vae.latent_dim == 2 and isinstance(vae.prior, StandardNormal):
            figures["manifold"] = pictures.manifold(
                lambda z: vae.likelihood.point_estimate(vae.decode(z)), title=title
            )
    if vae.latent_dim == 2 or (vae.latent_dim > 2 and len(x) >= _LEAST_PROJECTED):
        figures["latent_scatter"] = pictures.latent_scatter(
            codes(vae, x), y, projection="pca", title=title
        )
    return figures


def is_drawable(event_shape: Sequence[int]) -> bool:
    """Whether events are vectors, or images of 1 or 3 channels."""
    return len(event_shape) == 1 or (len(event_shape) == 3 and event_shape[-1] in (1, 3))
