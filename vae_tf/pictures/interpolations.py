"""A grid of interpolations between examples."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vae_tf.pictures.checks import as_numbers
from vae_tf.pictures.table import as_table, table


def interpolations(x: Any, *, title: str | None = None) -> Figure:
    """Draws a row a pair of examples: its first and last column are theirs, t = 0 and t = 1.

    Args:
        x: Images `[P, S, H, W, C]`, C 1 or 3, in [0, 1], or vectors `[P, S, D]`, S steps between
            each of P pairs. One pair alone may lack the first axis, as
            `vae_tf.explore.interpolate` gives it.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: Another rank, a channel count that is not 1 or 3, NaN, 8-bit images.
    """
    given = x if as_numbers(x, "x").ndim in (3, 5) else np.asarray(x)[None]
    x = as_table(given)
    rows = [str(k + 1) if len(x) > 1 else "" for k in range(len(x))]
    return table(x, rows, np.linspace(0, 1, x.shape[1]), "way t from first to last", title=title)
