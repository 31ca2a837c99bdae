"""Attribution maps over images."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from vae_tf.pictures.canvas import canvas
from vae_tf.pictures.checks import as_examples, as_numbers
from vae_tf.pictures.style import settle, style
from vae_tf.pictures.tile import tile
from vae_tf.utils.errors import InputError

_STRENGTH = 0.75  # of the colour where a map is 1


def overlays(
    x: Any, maps: Any, *, names: Sequence[str] | None = None, title: str | None = None
) -> Figure:
    """Draws images in the first row, and below them the same in grey under each map in colour.

    Args:
        x: Images `[N, H, W, C]`, C 1 or 3, in [0, 1].
        maps: `[M, N, H, W]` in [0, 1]: M maps of each image, such as the saliency of M latents;
            what `vae_tf.attribution` gives.
        names: Of the M rows. Defaults to z_1 ... z_M.
        title: Above the picture.

    Returns:
        The figure; `save` writes it.

    Raises:
        InputError: No images, maps of another shape or outside [0, 1], not one name a map.
    """
    x, maps = as_examples(x), as_numbers(maps, "maps")
    if x.ndim != 4 or maps.ndim != 4 or maps.shape[1:] != x.shape[:3]:
        raise InputError(
            f"`x` has shape {x.shape} and `maps` {maps.shape}, but overlays need images [N, H, W, C] "
            "and maps [M, N, H, W]."
        )
    if not (maps.size and maps.min() >= 0 and maps.max() <= 1):
        raise InputError("`maps` has values outside [0, 1], or none; divide each by its maximum.")
    names = [f"$z_{{{k + 1}}}$" for k in range(len(maps))] if names is None else list(names)
    if len(names) != len(maps):
        raise InputError(f"`names` has {len(names)} entries, but there are {len(maps)} maps.")
    grey = x.mean(axis=-1, keepdims=True).repeat(3, axis=-1)  # [N, H, W, 3]
    colours = matplotlib.colormaps["viridis"](maps)[..., :3]
    amount = _STRENGTH * maps[..., None]
    shown = np.concatenate(
        [x.repeat(3 // x.shape[-1], axis=-1)[None], (1 - amount) * grey + amount * colours]
    )
    rows, columns, height = shown.shape[:3]
    gap = max(1, round(height / 16))
    with style():
        left = 0.2 + 0.07 * max(5, *(len(name.strip("$")) for name in names))
        pixels = tile(shown.reshape(-1, *shown.shape[2:]), rows, columns, gap=(gap, gap))
        figure, axes = canvas(pixels, columns, title=title, left=left)
        axes.set_yticks(np.arange(rows) * (height + gap) + (height - 1) / 2, ["input", *names])
        axes.tick_params(length=0)
        return settle(figure)
