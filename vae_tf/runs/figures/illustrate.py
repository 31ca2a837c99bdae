"""The pictures of a finished run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vae_tf import pictures
from vae_tf.data import Data, head
from vae_tf.models.vae import VAE
from vae_tf.runs.figures.model_figures import model_figures

SCATTERED = 5000
"""Test examples of the latent scatter at most."""


def illustrate(
    vae: VAE, data: Data, history: Mapping[str, Sequence[float]], folder: Path
) -> list[Path]:
    """Draws what a model has learned, into `folder`.

    Always `learning_curves.png`; for the others see `model_figures`.

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
    figures |= model_figures(vae, *head(data.test, SCATTERED), title, data.seed)
    return [pictures.save(figure, folder / f"{name}.png") for name, figure in figures.items()]


def described(data: Data) -> str:
    """The dataset and its binarisation, without which no figure in nats means anything."""
    return f"{data.name}, {data.binarize} binarisation" if data.binarize else data.name
