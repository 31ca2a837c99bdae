"""The codes of three models side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from vae_tf.pictures.latent_scatter import as_plane
from vae_tf.pictures.scatter import as_labels, draw_points, square
from vae_tf.pictures.style import INK, WIDTH, blank, settle, style, wrapped
from vae_tf.utils.errors import InputError

_RADIUS = 2.448
"""The circle that holds 95 % of N(0, I) in two dimensions: √(χ²(2) quantile)."""


def three_panels(
    codes: Mapping[str, Any],
    labels: Any = None,
    *,
    notes: Mapping[str, str] | None = None,
    title: str | None = None,
) -> Figure:
    """Draws two-dimensional codes of a few models, with the circle that holds 95 % of N(0, I).

    Each panel has a scale of its own, because an auto-encoder's codes may lie far out; the circle is
    the same size in latent space in all of them.

    Args:
        codes: Name -> `[N, 2]`, such as `vae_tf.baselines.three_panels` measures.
        labels: `[N]`, the same for all, or `None`.
        notes: Name -> a line or two below the panel: what was measured.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: No codes, another shape, not one label for each point.
    """
    if not codes:
        raise InputError("`codes` is empty; give at least one name with its codes [N, 2].")
    points = {name: as_plane(z) for name, z in codes.items()}
    notes = notes or {}
    lines = max([0, *(note.count("\n") + 1 for note in notes.values())])
    with style():
        title, title_height = wrapped(title, WIDTH)
        side = WIDTH / max(3, len(points))
        figure = blank(side * len(points), side + 0.75 + 0.16 * lines + title_height)
        panels = figure.subplots(1, len(points), squeeze=False)[0]
        keys: list[Any] = []
        for axes, (name, z) in zip(panels, points.items(), strict=True):
            given = None if labels is None else as_labels(labels, len(z))
            bar, found = draw_points(axes, z, given)
            keys = found or keys
            if bar is not None and axes is panels[-1]:
                figure.colorbar(bar, ax=list(panels), label="label", aspect=30)
            _framed(axes, z)
            axes.set_title(name)
            axes.set_xlabel("\n".join(filter(None, ["$z_1$", notes.get(name)])))
        panels[0].set_ylabel("$z_2$")
        if title:
            figure.suptitle(title)
        circle = [panels[0].plot([], [], color=INK, linewidth=0.9, dashes=(3, 2),
                                 label="95 % of N(0, I)")[0]]  # fmt: skip
        figure.legend(
            handles=[*keys, *circle], loc="outside lower center", ncols=6, handletextpad=0.2,
            columnspacing=0.9,
        )  # fmt: skip
        return settle(figure)


def _framed(axes: Axes, z: np.ndarray) -> None:
    corners = np.array([[-_RADIUS, -_RADIUS], [_RADIUS, _RADIUS]], z.dtype)
    square(axes, np.concatenate([z, corners]))
    axes.add_patch(
        Circle((0, 0), _RADIUS, fill=False, edgecolor=INK, linewidth=0.9, linestyle=(0, (3, 2)))
    )
