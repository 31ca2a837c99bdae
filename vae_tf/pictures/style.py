"""Sizes, fonts and colours of all pictures, independent of the user's matplotlibrc."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

WIDTH = 6.8
"""Inches: the full text width of a page, so that a picture is printed at the size it was drawn."""

DPI = 200
"""Output pixels per inch. Image grids are laid out so that at this value (or a multiple of it)
every image pixel is a whole number of output pixels."""

FONT_SIZE = 9.0
"""Points."""

LETTER = 0.58 * (FONT_SIZE + 1) / 72
"""Inches: the mean width of a letter of a title."""

PALETTE = (
    "#0072B2",  # blue
    "#E69F00",  # orange
    "#009E73",  # green
    "#D55E00",  # vermilion
    "#56B4E9",  # sky blue
    "#CC79A7",  # pink
    "#F0E442",  # yellow
    "#000000",  # black
    "#690078",  # violet
    "#A50000",  # dark red
    "#1E00D2",  # ultramarine
    "#A5E1B4",  # pale green
)
"""The eight colours of Okabe and Ito, then four chosen to be as far as possible from all before
them, and from white, in Oklab under normal vision, protanopia, deuteranopia and tritanopia: no pair
that they add is closer than the closest pair of the eight."""

MARKERS = ("o", "^", "s", "D")
"""Shapes for classes beyond the palette: class k has colour k mod 12 and shape k div 12."""

INK = "#262626"
"""Text and axes: softer than black beside thin lines."""

_SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same letters on every machine
    "font.size": FONT_SIZE,
    "axes.titlesize": FONT_SIZE + 1,
    "axes.labelsize": FONT_SIZE,
    "figure.titlesize": FONT_SIZE + 1,
    "xtick.labelsize": FONT_SIZE - 1,
    "ytick.labelsize": FONT_SIZE - 1,
    "legend.fontsize": FONT_SIZE - 1,
    "legend.frameon": False,
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "axes.prop_cycle": cycler(color=PALETTE),
    "lines.linewidth": 1.4,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "image.interpolation": "nearest",
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "vae_tf",  # the same picture gives the same bytes
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3
}


@contextmanager
def style() -> Iterator[None]:
    """Draws in the house style inside the `with` block; the user's own settings return after it.

    Starts from Matplotlib's defaults, so that a matplotlibrc or a dark theme changes nothing.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # leaves the backend alone
        matplotlib.rcParams.update(_SETTINGS)
        yield


def wrapped(title: str | None, width: float) -> tuple[str | None, float]:
    """Breaks a title into lines of at most `width` inches.

    Returns:
        The title, `None` if there is none, and the height it needs in inches.
    """
    lines = textwrap.wrap(title, max(12, int(width / LETTER))) if title else []
    if not lines:
        return None, 0.0
    return "\n".join(lines), 0.06 + 1.35 * (FONT_SIZE + 1) / 72 * len(lines)


def blank(
    width: float,
    height: float,
    *,
    layout: Literal["constrained", "compressed"] | None = "constrained",
) -> Figure:
    """Returns an empty figure of `width` x `height` inches. Call it inside `style()`.

    Args:
        width: Inches.
        height: Inches.
        layout: `"constrained"` lets Matplotlib fit the axes to their labels, `"compressed"` does so
            for axes of a fixed shape; `None` leaves their places to the caller, as the
            pixel-exact image grids need.
    """
    return Figure(figsize=(width, height), dpi=DPI, layout=layout)


def settle(figure: Figure) -> Figure:
    """Fixes the layout and makes every tick now, returns the figure. Last call inside `style()`.

    Matplotlib makes ticks when it first draws, with the settings of that moment; a figure that the
    user saves later, outside the style, would else get the user's tick sizes.
    """
    figure.draw_without_rendering()
    return figure
