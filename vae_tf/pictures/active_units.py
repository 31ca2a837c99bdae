"""Bars of the variance of each latent dimension's mean."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vae_tf.pictures.per_dimension import as_dimensions
from vae_tf.pictures.style import PALETTE, WIDTH, blank, settle, style, wrapped

_LEAST = 1e-12  # a variance of zero has no place on a logarithmic axis


def active_units(variances: Any, *, threshold: float = 0.01, title: str | None = None) -> Figure:
    """Draws the variance over examples of each posterior mean, the largest first, and the threshold.

    A unit is active where Var_x E_q(z_d|x)[z_d] > 0.01: Burda et al. (2016), Importance Weighted
    Autoencoders, section 5.2.

    Args:
        variances: `[D]`, Var_x E_q[z_d].
        threshold: float. Defaults to 0.01.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: Another shape, no dimension, values that are not finite.
    """
    variances = as_dimensions(variances, "variances")
    values = np.sort(variances)[::-1]
    active = values > threshold
    with style():
        width = WIDTH * 0.75
        title, title_height = wrapped(title, width)
        figure = blank(width, 2.6 + title_height)
        axes = figure.add_subplot()
        where = np.arange(1, len(values) + 1)
        look: dict[str, Any] = {"linestyle": "none", "markersize": 4.5, "markeredgewidth": 0.8}
        drawn = np.maximum(values, _LEAST)
        axes.plot(where[active], drawn[active], "o", color=PALETTE[0], label="active", **look)
        axes.plot(
            where[~active], drawn[~active], "o", color=PALETTE[3], label="not active",
            markerfacecolor="none", **look,
        )  # fmt: skip
        axes.axhline(
            threshold, color=PALETTE[7], linewidth=0.8, dashes=(4, 2),
            label=f"threshold {threshold:g}",
        )  # fmt: skip
        axes.set_yscale("log")
        axes.set(
            xlabel="rank of the latent dimension",
            ylabel="variance of\nthe posterior mean",
            title=title,
        )
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        heading = f"{active.sum()} of {len(values)} units active"
        figure.legend(loc="outside lower center", ncols=3, title=heading)
        return settle(figure)
