"""Examples beside their reconstructions."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vae_tf.pictures.canvas import canvas
from vae_tf.pictures.checks import as_examples
from vae_tf.pictures.samples import component_axis
from vae_tf.pictures.style import PALETTE, WIDTH, blank, settle, style, wrapped
from vae_tf.pictures.tile import tile
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


def reconstructions(
    x: Any,
    x_reconstructed: Any,
    *,
    columns: int | None = None,
    names: tuple[str, str] = ("original", "reconstruction"),
    title: str | None = None,
) -> Figure:
    """Draws each example with its reconstruction: images below one another, vectors as two lines.

    Args:
        x: The originals: images `[N, H, W, C]`, C 1 or 3, values in [0, 1] (clipped), or vectors
            `[N, D]` in the data's own units.
        x_reconstructed: The reconstructions, in the same shape and order.
        columns: Examples side by side. Defaults to 10 images, 4 vectors.
        names: What the two are called. Defaults to "original" and "reconstruction".
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: Two different shapes, another rank, no example, a channel count that is not 1 or
            3, NaN, 8-bit images.
    """
    x = as_examples(x)
    x_reconstructed = as_examples(x_reconstructed, "x_reconstructed")
    if x.shape != x_reconstructed.shape:
        raise InputError(
            f"`x` has shape {x.shape} and `x_reconstructed` {x_reconstructed.shape}, but each "
            f"example needs its own reconstruction. Give two arrays of one shape."
        )
    if columns is None:
        columns = 10 if x.ndim == 4 else 4
    columns = min(as_count("columns", columns), len(x))
    draw = _lines if x.ndim == 2 else _grid
    with style():
        return settle(draw(x, x_reconstructed, columns, names, title))


def _grid(
    x: np.ndarray, y: np.ndarray, columns: int, names: tuple[str, str], title: str | None
) -> Figure:
    rows = -(-len(x) // columns)
    height = x.shape[1]
    gap = max(1, round(min(x.shape[1:3]) / 16))
    # A pair stands close together, the pairs apart: the eye compares downwards within one.
    between = np.ones((len(x), gap, *x.shape[2:]), x.dtype)
    pairs = np.concatenate([x, between, y], axis=1)
    apart = max(3 * gap, round(height / 3))
    figure, axes = canvas(
        tile(pairs, rows, columns, gap=(apart, gap)), columns, title=title, left=0.95
    )
    starts = np.arange(rows) * (pairs.shape[1] + apart) - 0.5
    middles = np.stack([starts + height / 2, starts + 1.5 * height + gap], axis=1)
    axes.set_yticks(middles.ravel(), [*names] * rows)
    axes.tick_params(axis="y", length=0)
    return figure


def _lines(
    x: np.ndarray, y: np.ndarray, columns: int, names: tuple[str, str], title: str | None
) -> Figure:
    size = x.shape[1]
    rows = -(-len(x) // columns)
    width = min(WIDTH, max(3.4, columns * WIDTH / 4))
    title, title_height = wrapped(title, width)
    figure = blank(width, 0.7 + 1.2 * rows + title_height)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    marker = "o" if size <= 20 else None
    where = np.arange(1, size + 1)
    for k, axes in enumerate(panels):
        if k >= len(x):
            axes.set_axis_off()
            continue
        look: dict[str, Any] = {"marker": marker, "markersize": 2.5, "markeredgewidth": 0}
        axes.plot(where, x[k], color=PALETTE[0], linewidth=1.6, label=names[0], **look)
        axes.plot(
            where, y[k], color=PALETTE[3], linewidth=1.1, dashes=(3, 1.5), label=names[1],
            **look,
        )  # fmt: skip
        component_axis(axes, size, labels=4 if columns > 1 else 8)
        if k + columns >= len(x):  # nothing below it
            axes.tick_params(labelbottom=True)
        else:
            axes.set_xlabel("")
        if k % columns == 0:
            axes.set_ylabel("value")
    if title:
        figure.suptitle(title)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure
