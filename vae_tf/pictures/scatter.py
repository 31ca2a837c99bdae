"""The scatter of labelled points that other pictures use."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from vae_tf.pictures.style import MARKERS, PALETTE
from vae_tf.utils.errors import InputError

MOST_CLASSES = len(PALETTE) * len(MARKERS)
"""More classes than this cannot be told apart by eye."""


def as_labels(labels: Any, number: int) -> np.ndarray:
    """Returns `labels` as `[number]` floats (a quantity), ints or text (classes).

    Raises:
        InputError: Not one label for each point, values that are not finite.
    """
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


def draw_points(
    axes: Axes, z: np.ndarray, labels: np.ndarray | None
) -> tuple[ScalarMappable | None, list[Line2D]]:
    """Draws `z` `[N, 2]`, in the colours of `as_labels`' result.

    Returns:
        What a colour bar is made of, if the labels are a quantity; the keys of a legend, if they
        are classes.

    Raises:
        InputError: More than `MOST_CLASSES` classes of text.
    """
    # An order drawn by chance (the same each time): drawn class by class, the last would hide
    # the others.
    order = np.random.default_rng(0).permutation(len(z))
    z = z[order]
    look: dict[str, Any] = {
        "s": float(np.clip(9000 / len(z), 1.2, 18)),
        "linewidths": 0,
        "rasterized": len(z) > 2000,  # else a PDF of 10 000 points takes seconds to show
    }
    if labels is None:
        axes.scatter(z[:, 0], z[:, 1], color=PALETTE[0], alpha=0.6, **look)
        return None, []
    labels = labels[order]
    classes, which = np.unique(labels, return_inverse=True)
    number = labels.dtype.kind in "fiu"
    if labels.dtype.kind == "f" or (number and len(classes) > MOST_CLASSES):
        return axes.scatter(z[:, 0], z[:, 1], c=labels, cmap="viridis", **look), []
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
    return None, keys


def square(axes: Axes, z: np.ndarray) -> None:
    """A square around the data with one unit for both axes: a collapsed dimension shows as thin."""
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
