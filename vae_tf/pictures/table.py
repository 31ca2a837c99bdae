"""Rows and columns of examples with a label on each: images as one grid, vectors as lines."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from vae_tf.pictures.canvas import canvas
from vae_tf.pictures.checks import as_examples, as_numbers
from vae_tf.pictures.samples import component_axis
from vae_tf.pictures.style import FONT_SIZE, WIDTH, blank, settle, style, wrapped
from vae_tf.pictures.tile import tile
from vae_tf.utils.errors import InputError

_TICK = 0.62 * (FONT_SIZE - 1) / 72  # inches: the mean width of a letter of a tick label


def table(
    x: np.ndarray,
    rows: Sequence[str],
    values: np.ndarray,
    axis: str,
    *,
    title: str | None = None,
) -> Figure:
    """Draws examples in rows that each have a name, and columns that each have a value.

    Args:
        x: `as_table`'s result: images `[R, V, H, W, C]` or vectors `[R, V, D]`.
        rows: The name of each row.
        values: `[V]`, the value of each column.
        axis: What the values are.
        title: Above the picture.
    """
    with style():
        draw = _lines if x.ndim == 3 else _grid
        return settle(draw(x, list(rows), values, axis, title))


def as_table(x: Any, name: str = "x") -> np.ndarray:
    """Returns `x` as images `[R, V, H, W, C]` in [0, 1], or vectors `[R, V, D]`.

    Raises:
        InputError: Another rank, or what `as_examples` does not take.
    """
    given = as_numbers(x, name)
    if given.ndim not in (3, 5):
        raise InputError(
            f"`{name}` has shape {given.shape}, but this picture needs images [rows, columns, H, W, "
            "C] or vectors [rows, columns, D]; add the axis of rows with x[None]."
        )
    # The original goes in: whole-number images are told by their dtype.
    flat = np.asarray(x).reshape(-1, *given.shape[2:])
    return as_examples(flat, name).reshape(given.shape)


def as_axis(values: Any, number: int, name: str) -> np.ndarray:
    """Returns `values` as `[number]` finite floats.

    Raises:
        InputError: Another shape, or values that are not finite.
    """
    array = as_numbers(values, name)
    if array.shape != (number,) or not np.isfinite(array).all():
        raise InputError(
            f"`{name}` has shape {array.shape}, but the picture needs {number} finite numbers: one "
            "for each column of `x`."
        )
    return array


def _grid(
    x: np.ndarray, rows: list[str], values: np.ndarray, axis: str, title: str | None
) -> Figure:
    number, columns, height, width = x.shape[:4]
    gap = max(1, round(min(height, width) / 16))
    pixels = tile(x.reshape(-1, *x.shape[2:]), number, columns, gap=(gap, gap))
    left = 0.12 + _TICK * max(map(len, rows))
    # As wide as three images at least, so that the labels of the axis have room.
    figure, axes = canvas(pixels, max(columns, 3), title=title, left=left, bottom=0.45)
    axes.set_yticks(np.arange(number) * (height + gap) + (height - 1) / 2, rows)
    step = -(-columns // 12)  # more labels than that run into one another
    places = np.arange(columns) * (width + gap) + (width - 1) / 2
    axes.set_xticks(places[::step], [number_text(value) for value in values[::step]])
    axes.tick_params(length=0)
    axes.set_xlabel(axis)
    return figure


def _lines(
    x: np.ndarray, rows: list[str], values: np.ndarray, axis: str, title: str | None
) -> Figure:
    columns = min(len(rows), 3)
    down = -(-len(rows) // columns)
    width = WIDTH * (0.4 + 0.2 * columns)
    title, title_height = wrapped(title, width)
    figure = blank(width, 0.6 + 1.5 * down + title_height)
    panels = figure.subplots(down, columns, sharex=True, sharey=True, squeeze=False).ravel()
    colours = matplotlib.colormaps["viridis"]
    span = Normalize(values.min(), values.max())
    for k, axes in enumerate(panels):
        if k >= len(rows):
            axes.set_axis_off()
            continue
        where = np.arange(1, x.shape[2] + 1)
        for line, value in zip(x[k], values, strict=True):
            axes.plot(where, line, color=colours(span(value)), linewidth=1.0)
        component_axis(axes, x.shape[2], labels=4)
        axes.set_title(rows[k])
        if k % columns == 0:
            axes.set_ylabel("value")
        if k + columns >= len(rows):
            axes.tick_params(labelbottom=True)
        else:
            axes.set_xlabel("")
    bar = figure.colorbar(ScalarMappable(span, colours), ax=list(panels), label=axis, aspect=30)
    bar.outline.set_linewidth(0)
    if title:
        figure.suptitle(title)
    return figure


def number_text(value: float) -> str:
    """A number as an axis shows it: three digits, a true minus."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
