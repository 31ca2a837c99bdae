"""A folder of PNG and JPEG files."""

import os
import pathlib
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

from vae_tf.data.from_arrays import Arrays
from vae_tf.utils.errors import InputError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
MAX_BYTES = 8 * 2**30
_TRAIN = ("train", "training")
_TEST = ("test", "testing", "val", "valid", "validation")


def holds_images(folder: pathlib.Path) -> bool:
    """Whether there is a PNG or JPEG file in the folder or below."""
    return next(_images_below(folder), None) is not None


def read(
    folder: pathlib.Path, image_size: tuple[int, int] | None = None, on_corrupt: str = "raise"
) -> Arrays:
    """The images of a folder.

    Args:
        folder: pathlib.Path. Images in the folder itself, or one subfolder a class, or either of
            these within `train` and `test` subfolders.
        image_size: (height, width) in pixels to scale every image to, or None.
        on_corrupt: "raise" or "skip". What to do about a file that cannot be decoded; a skipped
            one is named in a warning.

    Returns:
        Arrays, uint8 [N, H, W, C]: C is 1 for greyscale and 3 for colour; transparency is dropped.

    Raises:
        InputError: naming the file that is corrupt or of another size than the first.
    """
    if on_corrupt not in ("raise", "skip"):
        raise InputError(f"on_corrupt={on_corrupt!r} was given; use 'raise' or 'skip'.")
    train, test = (_subfolder(folder, names) for names in (_TRAIN, _TEST))
    if train is None or not holds_images(train):
        train, test = folder, None
    elif test is not None and not holds_images(test):
        test = None
    splits = [_list(part) for part in (train, test) if part is not None]
    classes = sorted({label for _, labels in splits for label in labels or ()})
    if any((labels is None) != (not classes) for _, labels in splits):
        raise InputError(
            f"{folder} has class subfolders in only one of train and test; sort both or neither."
        )
    paths = [path for files, _ in splits for path in files]
    images = _decode_all(paths, image_size, on_corrupt)
    kept = [image is not None for image in images]
    sizes = np.cumsum([0] + [len(files) for files, _ in splits])
    xs: list[np.ndarray] = []
    ys: list[np.ndarray | None] = []
    for (_, labels), start, stop in zip(splits, sizes[:-1], sizes[1:], strict=True):
        part = [image for image in images[start:stop] if image is not None]
        if not part:
            raise InputError(f"no image of {folder} could be read; pass a folder with images.")
        xs.append(np.stack(part))
        if labels is None:
            ys.append(None)
        else:
            numbers = np.array([classes.index(label) for label in labels], np.int64)
            ys.append(numbers[kept[start:stop]])
    if len(xs) == 1:
        return Arrays(xs[0], y_train=ys[0], class_names=tuple(classes), divisor=255.0)
    return Arrays(xs[0], xs[1], ys[0], ys[1], class_names=tuple(classes), divisor=255.0)


def _images_below(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    for path in folder.rglob("*"):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            yield path


def _subfolder(folder: pathlib.Path, names: Sequence[str]) -> pathlib.Path | None:
    inside = {path.name.lower(): path for path in folder.iterdir() if path.is_dir()}
    return next((inside[name] for name in names if name in inside), None)


def _list(folder: pathlib.Path) -> tuple[list[pathlib.Path], list[str] | None]:
    """Files in the order of their names, and the class folder of each or None."""
    paths = sorted(_images_below(folder))
    parts = [path.relative_to(folder).parts for path in paths]
    flat = [len(part) == 1 for part in parts]
    if all(flat):
        return paths, None
    if any(flat):
        inside = parts[flat.index(False)][0]
        raise InputError(
            f"{folder} holds images beside the subfolder {inside!r} with images; put all of them "
            "in the folder itself or all in one subfolder a class."
        )
    return paths, [part[0] for part in parts]


def _decode_all(
    paths: list[pathlib.Path], image_size: tuple[int, int] | None, on_corrupt: str
) -> list[np.ndarray | None]:
    """Images of one shape, None for a skipped one."""
    images: list[np.ndarray | None] = []
    first: tuple[pathlib.Path, np.ndarray] | None = None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(paths), 256):
            chunk = paths[start : start + 256]
            for path, result in zip(
                chunk, pool.map(lambda p: _decode(p, image_size), chunk), strict=True
            ):
                if isinstance(result, str):
                    if on_corrupt == "raise":
                        raise InputError(
                            f"{path} cannot be decoded ({result}); remove or replace it, or pass "
                            "on_corrupt='skip'."
                        )
                    warnings.warn(f"skipped {path}: it cannot be decoded ({result})", stacklevel=4)
                    images.append(None)
                    continue
                first = first or (path, result)
                _check_like_first(path, result, first, image_size, len(paths))
                images.append(result)
    colour = any(image is not None and image.shape[-1] == 3 for image in images)
    if colour and image_size is not None:
        return [
            np.repeat(image, 3, axis=-1) if image is not None and image.shape[-1] == 1 else image
            for image in images
        ]
    return images


def _check_like_first(
    path: pathlib.Path,
    image: np.ndarray,
    first: tuple[pathlib.Path, np.ndarray],
    image_size: tuple[int, int] | None,
    count: int,
) -> None:
    if image_size is None and image.shape != first[1].shape:
        raise InputError(
            f"{path} is {_describe(image)} but {first[0]} is {_describe(first[1])}; pass "
            "image_size=(height, width) to bring all images to one size."
        )
    if image.nbytes * count > MAX_BYTES:
        raise InputError(
            f"{count} images of {_describe(image)} do not fit in the {MAX_BYTES / 2**30:.0f} GiB "
            "kept for a folder; pass a smaller image_size=(height, width)."
        )


def _describe(image: np.ndarray) -> str:
    height, width, channels = image.shape
    return f"{height}x{width} with {channels} channel{'s' if channels > 1 else ''}"


def _decode(path: pathlib.Path, image_size: tuple[int, int] | None) -> np.ndarray | str:
    """uint8 [H, W, 1 or 3], or why not."""
    try:
        with Image.open(path) as file:
            # Pillow's own conversion would clip 16 bits to 255.
            if file.mode.startswith(("I", "F")):
                return f"{file.mode} pixels, expected 8 bits a channel"
            grey = file.mode in ("1", "L", "LA")
            image = ImageOps.exif_transpose(file).convert("L" if grey else "RGB")
    # Pillow's decoders report damage by any of these.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        return str(error).replace(str(path), "file")
    if image_size is not None:
        image = image.resize(image_size[::-1], Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
