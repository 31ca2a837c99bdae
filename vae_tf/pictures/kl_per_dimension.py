"""Bars of the KL of each latent dimension."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vae_tf.pictures.per_dimension import as_dimensions
from vae_tf.pictures.style import PALETTE, WIDTH, blank, settle, style, wrapped


def kl_per_dimension(kl: Any, *, title: str | None = None) -> Figure:
    """Draws the KL of each latent dimension as a bar, the largest first.

    Args:
        kl: `[D]`, KL(q(z_d|x) || p(z_d)) in nats, means over examples.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: Another shape, no dimension, values that are not finite.
    """
    kl = as_dimensions(kl, "kl")
    order = np.argsort(-kl, kind="stable")
    with style():
        width = WIDTH * 0.75
        title, title_height = wrapped(title, width)
        figure = blank(width, 2.4 + title_height)
        axes = figure.add_subplot()
        axes.bar(np.arange(len(kl)), kl[order], color=PALETTE[0], width=0.8)
        axes.set(ylabel="KL, nats per example", title=title)
        in_all = f"{kl.sum():.2f} nats in all"
        if len(kl) <= 25:
            axes.set_xticks(np.arange(len(kl)), [str(d + 1) for d in order])
            axes.set_xlabel(f"latent dimension, by KL; {in_all}")
        else:
            axes.set_xlabel(f"rank of the latent dimension, by KL; {in_all}")
            axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        return settle(figure)
