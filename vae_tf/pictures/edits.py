"""A grid of edited examples, by attribute strength."""

from typing import Any

from matplotlib.figure import Figure

from vae_tf.pictures.table import as_axis, as_table, table


def edits(x: Any, strengths: Any, *, title: str | None = None) -> Figure:
    """Draws a row an example, and a column for each strength of the edit; 0 is the reconstruction.

    Args:
        x: Images `[N, S, H, W, C]`, C 1 or 3, in [0, 1], or vectors `[N, S, D]`: what
            `vae_tf.explore.edit` gives.
        strengths: `[S]`.
        title: Above the picture; the place to name the attribute.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: Another rank, not one strength a column.
    """
    x = as_table(x)
    strengths = as_axis(strengths, x.shape[1], "strengths")
    rows = [str(k + 1) for k in range(len(x))]
    return table(x, rows, strengths, "strength of the edit", title=title)
