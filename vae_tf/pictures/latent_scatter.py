"""A scatter of latent codes."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vae_tf.pictures.checks import as_numbers
from vae_tf.pictures.project import project
from vae_tf.pictures.scatter import as_labels, draw_points, square
from vae_tf.pictures.style import blank, settle, style, wrapped
from vae_tf.utils.errors import InputError

_SIDE = 3.7  # inches: the square of the points


def latent_scatter(
    z: Any,
    labels: Any = None,
    *,
    projection: str | None = None,
    names: tuple[str, str] | None = None,
    title: str | None = None,
) -> Figure:
    """Draws latent points, coloured by label, with one scale on both axes.

    Labels that are text or whole numbers are classes: a colour each, and a legend. Numbers that are
    not whole, or have more than 48 values, are a quantity: a colour bar.

    Args:
        z: `[N, 2]`: posterior means, or any two coordinates of them. `[N, D]` with a projection.
        labels: `[N]`, or `None` for points of one colour.
        projection: How more than two dimensions become two: "pca", "tsne", see `project`. Two stay
            as they are. Defaults to None: two columns only.
        names: The names of the two axes, for instance `("$z_3$", "$z_7$")`.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: `z` is not `[N, 2]`, is empty or not finite; not one label for each point; more
            than 48 classes of text.
    """
    found = ("$z_1$", "$z_2$")
    if projection is not None and np.ndim(z) == 2 and np.shape(z)[1] > 2:
        z, found = project(z, projection)
    z = as_plane(z)
    with style():
        title, title_height = wrapped(title, _SIDE)
        figure = blank(_SIDE + 0.65, _SIDE + 0.5 + title_height, layout="compressed")
        axes = figure.add_subplot()
        bar, keys = draw_points(axes, z, None if labels is None else as_labels(labels, len(z)))
        if bar is not None:
            figure.set_figwidth(figure.get_figwidth() + 0.7)
            figure.colorbar(bar, ax=axes, label="label", aspect=30).outline.set_linewidth(0)
        elif keys:
            columns = -(-len(keys) // 16)
            longest = max(len(str(key.get_label())) for key in keys)
            figure.set_figwidth(figure.get_figwidth() + columns * (0.35 + 0.066 * longest))
            figure.legend(
                handles=keys, loc="outside right center", ncols=columns, handletextpad=0.1,
                columnspacing=0.8,
            )  # fmt: skip
        square(axes, z)
        xlabel, ylabel = names or found
        axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
        return settle(figure)


def as_plane(z: Any) -> np.ndarray:
    """Returns `z` as finite floats `[N, 2]`, N of at least 1.

    Raises:
        InputError: if it is anything else.
    """
    z = as_numbers(z, "z")
    if z.ndim == 2 and z.shape[1] > 2:
        raise InputError(
            f"`z` has {z.shape[1]} columns (shape {z.shape}), but a scatter shows two. Pick two, "
            f"for instance z[:, [0, 1]], or draw principal components with projection='pca'."
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
