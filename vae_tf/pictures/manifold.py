"""A grid of decoded points of a two-dimensional latent space."""

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vae_tf.pictures.canvas import canvas
from vae_tf.pictures.checks import as_examples
from vae_tf.pictures.style import settle, style
from vae_tf.pictures.tile import tile
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError

_MOST_LABELS = 9


def manifold(decode: Callable[[Any], Any], n: int = 20, *, title: str | None = None) -> Figure:
    """Draws the images of an n x n grid of latent points, z1 growing to the right, z2 upward.

    The points are equally spaced in probability under the standard normal prior: along each axis
    they are Φ⁻¹((i + 0.5) / n), i = 0 ... n - 1, Φ⁻¹ the inverse normal CDF (Kingma and Welling
    2014, Auto-Encoding Variational Bayes, Figure 4). So each cell is as probable as any other.

    Args:
        decode: Takes latents `[n * n, 2]` float32, gives images `[n * n, H, W, C]`, C 1 or 3,
            values in [0, 1] (clipped): for a VAE, the mean of p(x|z). Called once.
        n: Points along each axis.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: `decode` gives no images, or not one for each point; `n` below 1.
    """
    z = latent_grid(n)
    decoded = np.asarray(decode(z))
    if decoded.ndim != 4 or len(decoded) != n * n:
        raise InputError(
            f"`decode` gave shape {decoded.shape} for latents of shape {z.shape}, but the manifold "
            f"needs images [{n * n}, H, W, C]. Vectors and other data have no such picture."
        )
    images = as_examples(decoded, "decode(z)")
    with style():
        return settle(_picture(images, n, title))


def latent_values(n: int) -> np.ndarray:
    """Returns Φ⁻¹((i + 0.5) / n) for i = 0 ... n - 1: `[n]` float64, growing, symmetric about 0."""
    normal = NormalDist()
    return np.array([normal.inv_cdf((i + 0.5) / n) for i in range(n)])


def latent_grid(n: int) -> np.ndarray:
    """Returns the points of `manifold` in the order of reading: `[n * n, 2]` float32.

    The first n have the largest z2, z1 growing; the last n have the smallest z2.

    Raises:
        InputError: `n` is no whole number of at least 1.
    """
    values = latent_values(as_count("n", n))
    z1, z2 = np.meshgrid(values, values[::-1])
    return np.stack([z1.ravel(), z2.ravel()], axis=1).astype(np.float32)


def _picture(images: np.ndarray, n: int, title: str | None) -> Figure:
    height, width = images.shape[1:3]
    # No gaps: neighbours flow into one another, which is what the picture is about.
    # A small n still fills a column of the page, so that its tick labels have room.
    figure, axes = canvas(tile(images, n, n), max(n, 4), title=title, left=0.62, bottom=0.48)
    values = latent_values(n)
    shown = _labelled(n)
    labels = [f"{values[i]:.2f}".replace("-", "\N{MINUS SIGN}") for i in shown]
    axes.set_xticks((shown + 0.5) * width - 0.5, labels)
    axes.set_yticks((n - shown - 0.5) * height - 0.5, labels)
    axes.set_xlabel("$z_1$")
    axes.set_ylabel("$z_2$", rotation=0)
    return figure


def _labelled(n: int) -> np.ndarray:
    # Mirrored, so that the labels are symmetric about 0 like the values; odd in number if n is odd.
    number = n if n <= _MOST_LABELS else _MOST_LABELS - (n - _MOST_LABELS) % 2
    left = np.round(np.linspace(0, n - 1, number)).astype(int)[: -(-number // 2)]
    return np.union1d(left, n - 1 - left)
