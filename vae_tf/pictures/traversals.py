"""A grid of traversals, a row for each latent dimension."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from vae_tf.pictures.table import as_axis, as_table, table
from vae_tf.utils.errors import InputError


def traversals(
    x: Any,
    values: Any,
    *,
    dimensions: Sequence[int] | None = None,
    title: str | None = None,
) -> Figure:
    """Draws a row a latent dimension, and a column for each value that it was set to.

    Args:
        x: Images `[R, V, H, W, C]`, C 1 or 3, in [0, 1], or vectors `[R, V, D]`: what
            `vae_tf.explore.traverse` gives.
        values: `[V]`, what the dimensions were set to.
        dimensions: R ints, counted from 0. Defaults to 0 ... R - 1.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: Another rank, not one value a column, not one dimension a row.
    """
    x = as_table(x)
    dimensions = list(range(len(x)) if dimensions is None else dimensions)
    if len(dimensions) != len(x):
        raise InputError(
            f"`dimensions` has {len(dimensions)} entries, but `x` has {len(x)} rows; give one a row."
        )
    rows = [f"$z_{{{dimension + 1}}}$" for dimension in dimensions]
    values = as_axis(values, x.shape[1], "values")
    return table(x, rows, values, "value of the dimension", title=title)
