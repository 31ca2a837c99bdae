"""The pictures of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vae_tf import pictures
from vae_tf.data import Data, head
from vae_tf.priors import StandardNormal
from vae_tf.vae import VAE

_SAMPLES = 64
_LINES = 20
_RECONSTRUCTIONS = 20
_SCATTERED = 5000
_BATCH = 500


def illustrate(
    vae: VAE, data: Data, history: Mapping[str, Sequence[float]], folder: Path
) -> list[Path]:
    """Draws what a model has learned, into `folder`.

    Always `learning_curves.png`. For vectors, and images of 1 or 3 channels, `samples.png` and
    `reconstructions.png` of test examples. With two latents also `latent_scatter.png` of test
    examples, and for images under a standard normal prior `manifold.png`.

    Args:
        vae: The trained model.
        data: What it was trained on.
        history: Name -> one value an epoch, nats per example.
        folder: Where the pictures go.

    Returns:
        The paths of the pictures.

    Raises:
        InputError: if they cannot be written.
    """
    title = described(data)
    figures = {"learning_curves": pictures.learning_curves(history, title=title)}
    is_image = len(data.event_shape) == 3
    if not is_image or data.event_shape[-1] in (1, 3):
        n = _SAMPLES if is_image else _LINES
        figures["samples"] = pictures.samples(vae.sample(n, seed=data.seed), title=title)
        x, _ = head(data.test, _RECONSTRUCTIONS)
        figures["reconstructions"] = pictures.reconstructions(x, vae.reconstruct(x), title=title)
        # The manifold's grid has equal probability under N(0, I), and under no other prior.
        if is_image and vae.latent_dim == 2 and isinstance(vae.prior, StandardNormal):
            figures["manifold"] = pictures.manifold(
                lambda z: vae.likelihood.point_estimate(vae.decode(z)), title=title
            )
    if vae.latent_dim == 2:
        x, y = head(data.test, _SCATTERED)
        batches = [x[i : i + _BATCH] for i in range(0, len(x), _BATCH)]
        z = [vae.posterior.point_estimate(vae.encode(batch)).numpy() for batch in batches]
        figures["latent_scatter"] = pictures.latent_scatter(np.concatenate(z), y, title=title)
    return [pictures.save(figure, folder / f"{name}.png") for name, figure in figures.items()]


def described(data: Data) -> str:
    """The dataset and its binarisation, without which no figure in nats means anything."""
    return f"{data.name}, {data.binarize} binarisation" if data.binarize else data.name
