"""Histograms of a score on two sets of data."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vae_tf.pictures.checks import as_numbers
from vae_tf.pictures.style import PALETTE, WIDTH, blank, settle, style, wrapped
from vae_tf.utils.errors import InputError

_HATCHES = ("", "////", "....", "xxxx")
_COLOURS = (PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[5])


def ood_histogram(
    scores: Mapping[str, Any],
    *,
    xlabel: str = "log p(x), nats per example",
    bins: int = 60,
    title: str | None = None,
) -> Figure:
    """Draws the distribution of a score on each of a few datasets, the model's own first.

    Args:
        scores: Name of the dataset -> `[N]` scores. At most four datasets.
        xlabel: What the score is, with its unit; AUROC and the like fit into `title`.
        bins: Of the histogram. Defaults to 60.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: No dataset or more than four, other shapes, no finite score.
    """
    if not 1 <= len(scores) <= len(_HATCHES):
        raise InputError(
            f"`scores` has {len(scores)} datasets, but the picture shows 1 to {len(_HATCHES)}."
        )
    values = {name: _finite(array, name) for name, array in scores.items()}
    everything = np.concatenate(list(values.values()))
    # The tails of a log likelihood are long: a few examples must not squeeze all others.
    low, high = np.quantile(everything, [0.001, 0.999])
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    with style():
        width = WIDTH * 0.75
        title, title_height = wrapped(title, width)
        figure = blank(width, 2.7 + title_height)
        axes = figure.add_subplot()
        for k, (name, array) in enumerate(values.items()):
            clipped = np.clip(array, edges[0], edges[-1])
            look: dict[str, Any] = {"bins": edges, "density": True}
            axes.hist(clipped, color=_COLOURS[k], alpha=0.45, hatch=_HATCHES[k], label=name,
                      edgecolor=_COLOURS[k], linewidth=0, **look)  # fmt: skip
            axes.hist(clipped, histtype="step", color=_COLOURS[k], linewidth=1.2, **look)
        axes.set(xlabel=xlabel, ylabel="density", title=title)
        axes.ticklabel_format(axis="x", style="plain", useOffset=False)
        figure.legend(loc="outside lower center", ncols=len(values))
        return settle(figure)


def _finite(array: Any, name: str) -> np.ndarray:
    values = as_numbers(array, f"scores[{name!r}]")
    if values.ndim != 1:
        raise InputError(
            f"`scores[{name!r}]` has shape {values.shape}, but the picture needs one score an "
            "example, [N]."
        )
    values = values[np.isfinite(values)]
    if not len(values):
        raise InputError(f"`scores[{name!r}]` has no finite score; look for where they come from.")
    return values
