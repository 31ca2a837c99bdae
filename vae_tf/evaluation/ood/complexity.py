"""Input complexity: bits of a lossless compressor for an example."""

import io
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image


class Complexity(NamedTuple):
    """Compressed sizes.

    Attributes:
        bits: int64 `[N]`. A constant number of them is the format's.
        compressor: str. What was used.
    """

    bits: np.ndarray
    compressor: str


def complexity(x: np.ndarray) -> Complexity:
    """The compressed size of each example, in bits.

    Images with one or three channels go through PNG, at its best setting; other examples through zlib.
    Values are written with 8 bits, or with one where there are but two values in all of `x`. Values in
    [0, 1] are taken times 255, so that nothing is lost of 8-bit images; others are spread over their
    range, and what 8 bits cannot hold is lost. Sizes compare within one call only.

    Args:
        x: `[N, *event]`, finite.
    """
    low, high = float(x.min()), float(x.max())
    two_values = bool(((x == low) | (x == high)).all())
    if not two_values and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    levels = np.rint((x - low) * (255 / ((high - low) or 1.0))).astype(np.uint8)
    is_image = x.ndim == 4 and x.shape[-1] in (1, 3)
    one_bit = two_values and not (is_image and x.shape[-1] == 3)
    if is_image:
        sizes = [_png(image, one_bit) for image in levels]
    else:
        rows = levels.reshape(len(levels), -1)
        rows = np.packbits(rows > 0, axis=1) if one_bit else rows
        sizes = [len(zlib.compress(row.tobytes(), 9)) for row in rows]
    return Complexity(
        8 * np.array(sizes, np.int64),
        f"{'PNG' if is_image else 'zlib'}, {'1 bit' if one_bit else '8 bits'} a value",
    )


def _png(image: np.ndarray, one_bit: bool) -> int:
    """Bytes of a PNG file of uint8 `[H, W, 1]` or `[H, W, 3]`."""
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    if one_bit:
        picture = picture.convert("1", dither=Image.Dither.NONE)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.tell()
