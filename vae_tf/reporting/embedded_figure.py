"""A figure as a `data:` URI for a page of HTML."""

import base64
import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from vae_tf.pictures.style import DPI, style
from vae_tf.utils.errors import InputError

_CSS_DPI = 96  # CSS pixels an inch


@dataclasses.dataclass(frozen=True)
class EmbeddedFigure:
    """A figure, or the sentence that says why there is none.

    Attributes:
        section: str. The heading it stands under.
        title: str.
        caption: str. What is drawn, of how many examples; without an image, why there is none.
        uri: str or None. The image as a `data:` URI.
        width: int. CSS pixels.
        height: int. CSS pixels.
    """

    section: str
    title: str
    caption: str
    uri: str | None = None
    width: int = 0
    height: int = 0


def embedded_figure(
    section: str, title: str, caption: str, draw: Callable[[], Figure]
) -> EmbeddedFigure:
    """Draws a figure; where the model or the data have none, its place has the reason."""
    try:
        figure = draw()
    except InputError as error:
        return EmbeddedFigure(section, title, str(error))
    file = io.BytesIO()
    with style():
        figure.savefig(file, format="png", dpi=DPI)
    width, height = (round(_CSS_DPI * inches) for inches in figure.get_size_inches())
    return EmbeddedFigure(section, title, caption, _uri("png", file.getvalue()), width, height)


def embedded_animation(section: str, title: str, caption: str, path: Path) -> EmbeddedFigure:
    """A GIF as it is.

    Raises:
        OSError: if it cannot be read.
    """
    with Image.open(path) as animation:
        width, height = animation.size
    return EmbeddedFigure(section, title, caption, _uri("gif", path.read_bytes()), width, height)


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
