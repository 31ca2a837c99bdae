"""The rate-distortion plane."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vae_tf.pictures.checks import as_numbers
from vae_tf.pictures.style import MARKERS, PALETTE, WIDTH, blank, settle, style, wrapped
from vae_tf.utils.errors import InputError


def rate_distortion(models: Mapping[str, Any], *, title: str | None = None) -> Figure:
    """Draws models in the plane of rate and distortion, and the lines of equal ELBO.

    Rate KL(q(z|x) || p(z)), distortion -E_q log p(x|z): the ELBO is minus their sum, so on a
    grey line it is the same: Alemi et al. (2018), Fixing a Broken ELBO, figure 1.

    Args:
        models: Name -> (rate, distortion), or `[P, 2]` of them that a line joins, such as one model
            at several weights of the KL. Nats per example.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: No model, other shapes, values that are not finite.
    """
    points = {name: _as_points(pairs, name) for name, pairs in models.items()}
    if not points:
        raise InputError("`models` is empty; give at least one name with its (rate, distortion).")
    with style():
        width = WIDTH * 0.75
        title, title_height = wrapped(title, width)
        figure = blank(width, 3.2 + title_height)
        axes = figure.add_subplot()
        for k, (name, pairs) in enumerate(points.items()):
            axes.plot(
                pairs[:, 0], pairs[:, 1], label=name, color=PALETTE[k % len(PALETTE)],
                marker=MARKERS[k % len(MARKERS)], markersize=5, markeredgewidth=0, linewidth=1.0,
            )  # fmt: skip
        axes.margins(0.15)
        axes.set(
            xlabel="rate, KL(q(z|x) || p(z)), nats per example",
            ylabel="distortion, $-$E log p(x|z),\nnats per example",
            title=title,
        )
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        for k, total in enumerate(np.linspace(left + low, right + high, 8)[1:-1]):
            axes.plot(
                [left, right], [total - left, total - right], color="#BDBDBD", linewidth=0.6,
                zorder=0, label="equal ELBO" if k == 0 else None,
            )  # fmt: skip
        axes.set_xlim(left, right)
        axes.set_ylim(low, high)
        axes.ticklabel_format(style="plain", useOffset=False)
        figure.legend(loc="outside lower center", ncols=min(4, len(points) + 1))
        return settle(figure)


def _as_points(pairs: Any, name: str) -> np.ndarray:
    points = np.atleast_2d(as_numbers(pairs, f"models[{name!r}]"))
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all() or not len(points):
        raise InputError(
            f"`models[{name!r}]` has shape {points.shape}, but the picture needs finite pairs (rate, "
            "distortion), [P, 2]."
        )
    return points
