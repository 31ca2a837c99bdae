"""A figure around one tiled image, in which each image pixel is a whole number of figure pixels."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vae_tf.pictures.style import DPI, LETTER, WIDTH, blank, wrapped

_MIN_WIDTH = 2.4  # inches; room for a title over a single image
_MAX_HEIGHT = 9.0  # inches; a page
_MAX_CELL = 1.1  # inches; a few images are not blown up to the page
_MAX_PIXELS = 4096  # of a side of the canvas; beyond it, shrinking is the lesser evil


def canvas(
    pixels: np.ndarray,
    columns: int,
    *,
    title: str | None = None,
    left: float = 0.06,
    bottom: float = 0.06,
) -> tuple[Figure, Axes]:
    """Draws `pixels` with every one of them s x s output pixels at `DPI`, s whole.

    A figure whose size Matplotlib chooses maps image pixels to 3 output pixels here and 4 there,
    which shows as moiré in a grid of small images. So the figure's size follows from the image.

    Args:
        pixels: `[H, W, C]`, C 1 or 3, values in [0, 1].
        columns: How many images lie side by side in it, for a good size of each.
        title: Above the image, wrapped to the figure's width.
        left: Inches left of the image, for tick labels.
        bottom: Inches below the image, for tick labels.

    Returns:
        The figure, and its axes in pixel coordinates with the frame and the ticks off.
    """
    height, width = pixels.shape[:2]
    right = 0.06
    room = min(WIDTH - left - right, columns * _MAX_CELL)
    scale: float = max(1, min(int(room * DPI) // width, int(_MAX_HEIGHT * DPI) // height))
    if max(height, width) > _MAX_PIXELS:
        scale = _MAX_PIXELS / max(height, width)

    def inches(length: float) -> int:
        return round(length * DPI)

    shown = round(width * scale), round(height * scale)
    spare = max(0, inches(_MIN_WIDTH) - shown[0] - inches(left) - inches(right))
    full_width = inches(left) + shown[0] + inches(right) + spare
    title, title_height = wrapped(title, full_width / DPI)
    top = inches(0.06 + title_height)
    full_height = inches(bottom) + shown[1] + top

    figure = blank(full_width / DPI, full_height / DPI, layout=None)
    axes = figure.add_axes(
        (
            (inches(left) + spare // 2) / full_width,
            inches(bottom) / full_height,
            shown[0] / full_width,
            shown[1] / full_height,
        )
    )
    axes.imshow(
        pixels[..., 0] if pixels.shape[-1] == 1 else pixels,
        cmap="gray",
        vmin=0.0,
        vmax=1.0,
        aspect="auto",  # the axes have the image's own shape already
        interpolation="nearest" if scale >= 1 else "antialiased",
    )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if title:
        # Over the image; a title too long for that, over the figure, so that none of it is cut off.
        middle = (inches(left) + spare // 2 + shown[0] / 2) / full_width
        longest = LETTER * DPI * max(map(len, title.splitlines())) / full_width
        fits = longest / 2 < min(middle, 1 - middle)
        figure.suptitle(
            title,
            x=middle if fits else 0.5,
            y=1 - inches(0.06) / full_height,
            verticalalignment="top",
        )
    return figure, axes
