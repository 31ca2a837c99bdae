"""A grid of samples."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vae_tf.pictures.canvas import canvas
from vae_tf.pictures.checks import as_examples
from vae_tf.pictures.style import PALETTE, WIDTH, blank, settle, style, wrapped
from vae_tf.pictures.tile import near_square, tile
from vae_tf.utils.checks import as_count


def samples(x: Any, *, columns: int | None = None, title: str | None = None) -> Figure:
    """Draws examples: a grid of images, or one line a vector over its components.

    Args:
        x: Images `[N, H, W, C]`, C 1 or 3, values in [0, 1] (clipped), 0 black; filled in row
            by row. Or vectors `[N, D]` in the data's own units.
        columns: Images in a row. Defaults to a grid near a square. Vectors have no use for it.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: Another rank, no example, a channel count that is not 1 or 3, NaN, 8-bit images.
    """
    x = as_examples(x)
    with style():
        return settle(_lines(x, title) if x.ndim == 2 else _grid(x, columns, title))


def _grid(x: np.ndarray, columns: int | None, title: str | None) -> Figure:
    if columns is None:
        rows, columns = near_square(len(x))
    else:
        columns = min(as_count("columns", columns), len(x))
        rows = -(-len(x) // columns)
    gap = max(1, round(min(x.shape[1:3]) / 16))
    figure, _ = canvas(tile(x, rows, columns, gap=(gap, gap)), columns, title=title)
    return figure


def _lines(x: np.ndarray, title: str | None) -> Figure:
    number, size = x.shape
    title, title_height = wrapped(title, WIDTH * 0.7)
    figure = blank(WIDTH * 0.75, 2.4 + title_height)
    axes = figure.add_subplot()
    axes.plot(
        np.arange(1, size + 1),
        x.T,
        color=PALETTE[0],
        linewidth=1.0,
        # Where many lines meet, the dark shows how many.
        alpha=float(np.clip(8 / number, 0.12, 0.8)),
        # With few components the values matter; a single one has no line at all.
        marker="o" if size <= 20 else None,
        markersize=2.5,
        markeredgewidth=0,
        solid_joinstyle="round",
    )
    axes.set(ylabel="value", title=title)
    component_axis(axes, size)
    return figure


def component_axis(axes: Axes, size: int, labels: int = 8) -> None:
    """Makes the horizontal axis the components 1 to `size` of a vector, about `labels` labelled."""
    axes.set_xlim(0.5, size + 0.5)
    axes.xaxis.set_major_locator(
        MaxNLocator(nbins=labels, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
    )
    axes.set_xlabel("component")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
