"""Samples and reconstructions of a run, written as a picture or as numbers."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from vae_tf import pictures
from vae_tf.data import head
from vae_tf.runs.figures.illustrate import described
from vae_tf.runs.run import Run
from vae_tf.utils.atomic import replacing
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


def draw_samples(
    run: Run, path: str | os.PathLike[str], n: int = 64, seed: int | None = None
) -> Path:
    """Writes means of p(x|z) at draws z ~ p(z) of a run's model.

    Args:
        run: The run.
        path: A picture (.png, .svg, .pdf), or .npy for the numbers, float32 `[n, *event]`.
        n: int. Number of samples. Defaults to 64.
        seed: int. The same seed gives the same samples; None gives fresh ones.

    Returns:
        `path`.

    Raises:
        InputError: for another suffix, or data that have no picture.
        OSError: if it cannot be written.
    """
    path = checked_path(path, n=n)
    x = np.asarray(run.model().sample(n, seed=seed))
    return write_picture(path, x, lambda: pictures.samples(x))


def draw_reconstructions(run: Run, path: str | os.PathLike[str], n: int = 20) -> Path:
    """Writes the first test examples of a run and what its model makes of them.

    Args:
        run: The run.
        path: A picture (.png, .svg, .pdf), or .npy for the numbers, float32 `[2, n, *event]`:
            originals, then reconstructions.
        n: int. Number of examples. Defaults to 20.

    Returns:
        `path`.

    Raises:
        InputError: for another suffix, or data that have no picture.
        OSError: if it cannot be written.
    """
    path = checked_path(path, n=n)
    data, vae = run.data(), run.model()
    x, _ = head(data.test, n)
    x_hat = vae.reconstruct(x).numpy()
    title = described(data)
    return write_picture(
        path, np.stack([x, x_hat]), lambda: pictures.reconstructions(x, x_hat, title=title)
    )


def checked_path(path: str | os.PathLike[str], **counts: int) -> Path:
    """The path, if model and data are worth loading for it.

    Args:
        path: Where the picture goes.
        counts: Name -> how many of something are to be in it.

    Raises:
        InputError: for a suffix that is none of a picture and not .npy, or a count below 1.
    """
    path = Path(path)
    if path.suffix.lower() not in (".npy", ".png", ".svg", ".pdf"):
        raise InputError(f"{path} ends in {path.suffix!r}; expected .png, .svg, .pdf or .npy.")
    for name, count in counts.items():
        as_count(name, count)
    return path


def write_picture(path: Path, x: np.ndarray, draw: Callable[[], Figure]) -> Path:
    """Writes `x` if `path` ends in .npy, and else the picture that `draw` makes; returns `path`.

    Raises:
        InputError: if a picture cannot be drawn or written.
        OSError: if the numbers cannot be written.
    """
    if path.suffix.lower() != ".npy":
        return pictures.save(draw(), path)
    with replacing(path) as written:
        np.save(written, x)
    return path
