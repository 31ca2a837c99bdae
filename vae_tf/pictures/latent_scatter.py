"""Where a model puts the data."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from vae_tf.errors import InputError
from vae_tf.pictures.checks import as_numbers
from vae_tf.pictures.style import MARKERS, PALETTE, blank, settle, style, wrapped

MOST_CLASSES = len(PALETTE) * len(MARKERS)
"""More classes than this cannot be told apart by eye."""

_SIDE = 3.7  # inches: the square of the points


def latent_scatter(
    z: Any,
    labels: Any = None,
    *,
    names: tuple[str, str] = ("$z_1$", "$z_2$"),
    title: str | None = None,
) -> Figure:
    """Draws latent points, coloured by label, with one scale on both axes.

    Labels that are text or whole numbers are classes: a colour each, and a legend. Numbers that are
    not whole, or have more than 48 values, are a quantity: a colour bar.

    Args:
        z: `[N, 2]`: posterior means, or any two coordinates of them.
        labels: `[N]`, or `None` for points of one colour.
        names: The names of the two axes, for instance `("$z_3$", "$z_7$")`.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: `z` is not `[N, 2]`, is empty or not finite; not one label for each point; more
            than 48 classes of text.
    """
    z = _points(z)
    with style():
        title, title_height = wrapped(title, _SIDE)
        figure = blank(_SIDE + 0.65, _SIDE + 0.5 + title_height, layout="compressed")
        axes = figure.add_subplot()
        # One order drawn by chance (the same each time): drawn class by class, the last would hide
        # the others.
        order = np.random.default_rng(0).permutation(len(z))
        look: dict[str, Any] = {
            "s": float(np.clip(9000 / len(z), 1.2, 18)),
            "linewidths": 0,
            "rasterized": len(z) > 2000,  # else a PDF of 10 000 points takes seconds to show
        }
        if labels is None:
            axes.scatter(z[order, 0], z[order, 1], color=PALETTE[0], alpha=0.6, **look)
        else:
            _coloured(figure, axes, z[order], _labels(labels, len(z))[order], look)
        _square(axes, z)
        axes.set(xlabel=names[0], ylabel=names[1], title=title)
        return settle(figure)


def _points(z: Any) -> np.ndarray:
    z = as_numbers(z, "z")
    if z.ndim == 2 and z.shape[1] > 2:
        raise InputError(
            f"`z` has {z.shape[1]} columns (shape {z.shape}), but a scatter shows two. Pick two, "
            f"for instance z[:, [0, 1]], or give the first two principal components of z."
        )
    if z.ndim != 2 or z.shape[1] != 2:
        raise InputError(f"`z` has shape {z.shape}, but a scatter needs latents [N, 2].")
    if len(z) == 0:
        raise InputError("`z` is empty: its shape is (0, 2). Give at least one point.")
    if not np.isfinite(z).all():
        row = np.flatnonzero(~np.isfinite(z).all(axis=1))[0]
        raise InputError(
            f"`z` has NaN or infinite values, the first in row {row}. Leave those rows out, or "
            f"look for where they come from."
        )
    return z


def _labels(labels: Any, number: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (number,):
        hint = " For one-hot labels, give labels.argmax(axis=1)." * (labels.ndim == 2)
        raise InputError(
            f"`labels` has shape {labels.shape}, but {number} points need labels ({number},).{hint}"
        )
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise InputError("`labels` has NaN or infinite values. Leave those points out.")
        if (labels == np.round(labels)).all():
            return labels.astype(np.int64)
    elif labels.dtype.kind not in "biu":
        return np.array([_text(label) for label in labels])
    return labels


def _text(label: Any) -> str:
    # TensorFlow hands strings over as bytes.
    return label.decode(errors="replace") if isinstance(label, bytes) else str(label)


def _coloured(
    figure: Figure, axes: Axes, z: np.ndarray, labels: np.ndarray, look: dict[str, Any]
) -> None:
    classes, which = np.unique(labels, return_inverse=True)
    number = labels.dtype.kind in "fiu"
    if labels.dtype.kind == "f" or (number and len(classes) > MOST_CLASSES):
        points = axes.scatter(z[:, 0], z[:, 1], c=labels, cmap="viridis", **look)
        figure.set_figwidth(figure.get_figwidth() + 0.7)
        bar = figure.colorbar(points, ax=axes, label="label", aspect=30)
        bar.outline.set_linewidth(0)
        return
    if len(classes) > MOST_CLASSES:
        raise InputError(
            f"`labels` has {len(classes)} classes, but no more than {MOST_CLASSES} can be told "
            f"apart. Draw some of them."
        )
    colours = np.array(PALETTE)[which % len(PALETTE)]
    shapes = which // len(PALETTE)
    for k in range(shapes.max() + 1):
        mine = shapes == k
        axes.scatter(z[mine, 0], z[mine, 1], c=colours[mine], marker=MARKERS[k], alpha=0.8, **look)
    keys = [
        Line2D(
            [], [], linestyle="none", markeredgewidth=0, markersize=5.5, label=str(name),
            color=PALETTE[k % len(PALETTE)], marker=MARKERS[k // len(PALETTE)],
        )
        for k, name in enumerate(classes)
    ]  # fmt: skip
    columns = -(-len(keys) // 16)
    longest = max(len(str(name)) for name in classes)
    figure.set_figwidth(figure.get_figwidth() + columns * (0.35 + 0.066 * longest))
    figure.legend(
        handles=keys, loc="outside right center", ncols=columns, handletextpad=0.1,
        columnspacing=0.8,
    )  # fmt: skip


def _square(axes: Axes, z: np.ndarray) -> None:
    # A square around the data with one unit for both axes: a collapsed dimension shows as thin.
    low, high = z.min(axis=0), z.max(axis=0)
    middle = (low + high) / 2
    half = 0.53 * float((high - low).max()) or 1.0
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.set_aspect("equal")
    axes.grid()
    axes.set_axisbelow(True)
    axes.ticklabel_format(style="plain", useOffset=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6))
