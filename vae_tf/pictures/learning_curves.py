"""Curves of the training and validation metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from vae_tf.pictures.checks import as_numbers
from vae_tf.pictures.style import PALETTE, WIDTH, blank, settle, style, wrapped
from vae_tf.utils.errors import InputError

_PANELS = {
    "elbo": "ELBO",
    "log_likelihood": "log likelihood",
    "kl": "KL divergence",
}
_FALLBACK = {"loss": "loss"}
_LOOKS: dict[str, dict[str, Any]] = {
    "": {"label": "training", "color": PALETTE[0], "markersize": 3, "markeredgewidth": 0},
    "val_": {
        "label": "validation",
        "color": PALETTE[3],
        "markersize": 3,
        "markeredgewidth": 0,
        "dashes": (4, 1.5),
    },
}
_MOST_DOTS = 20  # epochs; with more, dots on the line are a blur


def learning_curves(history: Mapping[str, Sequence[float]], *, title: str | None = None) -> Figure:
    """Draws the ELBO and its two terms over the epochs, training and validation in each panel.

    Args:
        history: Name -> one value an epoch, in nats per example: `keras.callbacks.History.history`,
            or the columns of `metrics.csv`. Drawn are `elbo`, `log_likelihood` and `kl`, with their
            `val_` forms; `loss` only where none of the three is there. Other names are ignored. A
            NaN leaves a gap: an epoch without validation, or one that diverged.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: None of those names, lists of different lengths, no epoch, values that are no
            numbers.
    """
    names = [name for name in _PANELS if _has(history, name)]
    names = names or [name for name in _FALLBACK if _has(history, name)]
    if not names:
        raise InputError(
            f"`history` has the names {sorted(history)}, but learning curves need some of "
            f"{[*_PANELS, *_FALLBACK]}. Give the `history` of what `fit` returns."
        )
    series = {
        key: as_numbers(history[key], f"history[{key!r}]")
        for name in names
        for key in (name, f"val_{name}")
        if key in history
    }
    epochs = _epochs(series)
    with style():
        width = max(3.2, WIDTH * len(names) / 3)
        title, title_height = wrapped(title, width)
        figure = blank(width, 2.35 + title_height)
        panels = figure.subplots(1, len(names), squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            _panel(axes, series, name, epochs)
            axes.set_title((_PANELS | _FALLBACK)[name])
        panels[0].set_ylabel("nats per example")
        if title:
            figure.suptitle(title)
        keys = [
            Line2D([], [], **look, marker="o" if epochs <= _MOST_DOTS else None)
            for prefix, look in _LOOKS.items()
            if any(prefix + name in series for name in names)
        ]
        figure.legend(handles=keys, loc="outside lower center", ncols=2)
        return settle(figure)


def _has(history: Mapping[str, Sequence[float]], name: str) -> bool:
    return name in history or f"val_{name}" in history


def _epochs(series: dict[str, np.ndarray]) -> int:
    lengths = {key: values.shape for key, values in series.items()}
    if any(len(shape) != 1 for shape in lengths.values()) or len(set(lengths.values())) != 1:
        raise InputError(
            f"`history` has values of the shapes {lengths}, but every name needs one value an "
            f"epoch. Put NaN where an epoch had no validation."
        )
    (epochs,) = next(iter(lengths.values()))
    if epochs == 0:
        raise InputError("`history` has no epoch. Train for at least one.")
    return epochs


def _panel(axes: Axes, series: dict[str, np.ndarray], name: str, epochs: int) -> None:
    where = np.arange(1, epochs + 1)
    drawn = False
    for prefix, look in _LOOKS.items():
        if prefix + name not in series:
            continue
        values = series[prefix + name]
        values = np.where(np.isfinite(values), values, np.nan)
        known = ~np.isnan(values)
        drawn = drawn or bool(known.any())
        (line,) = axes.plot(where, values, **look)
        # A value between two gaps has no line of its own: it needs a dot to be seen at all.
        gaps = np.concatenate([[True], ~known, [True]])
        alone = known & gaps[:-2] & gaps[2:]
        dots = known if epochs <= _MOST_DOTS else alone
        if dots.any():
            line.set_marker("o")
            line.set_markevery(dots.tolist())
    axes.set_xlabel("epoch")
    margin = max(0.5 if epochs == 1 else 0.15, 0.03 * (epochs - 1))
    axes.set_xlim(1 - margin, epochs + margin)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    if not drawn:
        axes.text(0.5, 0.5, "no finite value", ha="center", va="center", transform=axes.transAxes)
        axes.set_yticks([])
        return
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
