"""A sequence of pictures as a GIF."""

import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from vae_tf.pictures.style import style
from vae_tf.utils.atomic import replacing
from vae_tf.utils.errors import InputError

Frame = Figure | str | os.PathLike[str]

DPI = 100
"""Of figures: half of a picture's, because an animation holds many."""


def animation(
    frames: Sequence[Frame],
    path: str | os.PathLike[str],
    *,
    seconds: float = 0.2,
    rest: float = 2.0,
) -> Path:
    """Writes a GIF that repeats without end. It appears whole or not at all.

    Args:
        frames: Figures, or PNG files such as `vae_tf.runs` leaves of each epoch, which are halved.
            Smaller ones are centred on white.
        path: Ends in .gif. Missing folders are made.
        seconds: float. How long a frame shows. Defaults to 0.2.
        rest: float. How long the last one shows. Defaults to 2.

    Returns:
        `path`.

    Raises:
        InputError: Another suffix, no frame, a file that is no picture, times that are not above 0.
        OSError: if it cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise InputError(f"{path} ends in {path.suffix!r}, but an animation is a .gif.")
    if not frames:
        raise InputError("`frames` is empty; give at least one figure or picture file.")
    if not (seconds > 0 and rest > 0):
        raise InputError(
            f"A frame shows for {seconds} s and the last for {rest} s; give more than 0."
        )
    width, height = np.max([_image(frame).size for frame in frames], axis=0).tolist()
    # One at a time, because an animation of many epochs does not fit in memory.
    images = (_sheet(_image(frame), (width, height)) for frame in frames)
    first = next(images)
    durations = [round(1000 * seconds)] * (len(frames) - 1) + [round(1000 * rest)]
    with replacing(path) as written:
        first.save(written, "GIF", save_all=True, append_images=images, duration=durations, loop=0)
    return path


def _image(frame: Frame) -> Image.Image:
    if isinstance(frame, Figure):
        file = io.BytesIO()
        with style():
            frame.savefig(file, format="png", dpi=DPI)
        return Image.open(file).convert("RGB")
    try:
        with Image.open(frame) as image:
            return image.convert("RGB").reduce(2)
    except OSError as error:
        raise InputError(f"{frame} cannot be read as a picture ({error}); give a PNG.") from error


def _sheet(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`image` in the middle of a white sheet, in the 256 colours a GIF can have."""
    sheet = Image.new("RGB", size, "white")
    sheet.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return sheet.quantize(256, dither=Image.Dither.NONE)
