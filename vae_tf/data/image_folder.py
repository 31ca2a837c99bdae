"""A folder of image files."""

import os
import pathlib
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

from vae_tf.data.account import Account, counted
from vae_tf.data.arrays import Arrays
from vae_tf.data.folder_walk import files_below
from vae_tf.utils.errors import InputError

MAX_BYTES = 8 * 2**30
_TRAIN = ("train", "training")
_TEST = ("test", "testing", "val", "valid", "validation")
# What Pillow knows by its first bytes, and cannot decode by itself.
_NOT_DECODED = frozenset(("BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"))


def suffixes() -> frozenset[str]:
    """The suffixes of the formats that Pillow reads: ".png", ".jpg", ".webp", ".bmp", ".tif", ..."""
    formats = Image.registered_extensions()  # after Image.init, which it calls
    readable = Image.OPEN.keys() - _NOT_DECODED
    return frozenset(suffix for suffix, name in formats.items() if name in readable)


def holds_images(folder: pathlib.Path) -> bool:
    """Whether there is an image file in the folder or below."""
    images = suffixes()
    return any(path.suffix.lower() in images for path in files_below(folder))


def read(
    folder: pathlib.Path, image_size: tuple[int, int] | None = None, on_corrupt: str = "raise"
) -> Arrays:
    """The images of a folder.

    Hidden files and folders are left out, and links followed; see `files_below`. Of a file of several
    frames or pages the first is taken.

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
    skipped: Counter[str] = Counter()
    parts = _split(folder, _images(folder, skipped), skipped)
    splits = [_classes(where, paths) for where, paths in parts]
    classes = sorted({label for _, labels in splits for label in labels or ()})
    if any((labels is None) != (not classes) for _, labels in splits):
        raise InputError(
            f"{folder} has class subfolders in only one of train and test; sort both or neither."
        )
    paths = [path for files, _ in splits for path in files]
    images, animated = _decode_all(paths, image_size, on_corrupt)
    kept = [image is not None for image in images]
    skipped["cannot be decoded"] += kept.count(False)
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
    frames = f"of {counted(animated, 'file')} with several frames or pages the first one was taken"
    account = Account(
        files=kept.count(True), skipped_files=+skipped, remarks=(frames,) if animated else ()
    )
    names = tuple(classes)
    if len(xs) == 1:
        return Arrays(xs[0], y_train=ys[0], class_names=names, divisor=255.0, account=account)
    return Arrays(xs[0], xs[1], ys[0], ys[1], class_names=names, divisor=255.0, account=account)


def _images(folder: pathlib.Path, skipped: "Counter[str]") -> list[pathlib.Path]:
    images, found = suffixes(), []
    for path in files_below(folder, skipped):
        suffix = path.suffix.lower()
        if suffix in images:
            found.append(path)
        else:
            skipped[f"no image: {suffix or 'no suffix'}"] += 1
    return found


def _split(
    folder: pathlib.Path, paths: list[pathlib.Path], skipped: "Counter[str]"
) -> list[tuple[pathlib.Path, list[pathlib.Path]]]:
    """The train and the test folder, or the folder itself, with the images of each."""
    inside: dict[str, list[pathlib.Path]] = {}
    for path in paths:
        first, *rest = path.relative_to(folder).parts
        inside.setdefault(first if rest else "", []).append(path)
    names = {name.lower(): name for name in inside}
    train, test = (_first(names, choices) for choices in (_TRAIN, _TEST))
    if train is None:
        return [(folder, paths)]
    chosen = [name for name in (train, test) if name is not None]
    for name in inside.keys() - chosen:
        where = f"in {name!r}, beside" if name else "beside"
        skipped[f"{where} {' and '.join(map(repr, chosen))}"] += len(inside[name])
    return [(folder / name, inside[name]) for name in chosen]


def _first(names: dict[str, str], choices: Sequence[str]) -> str | None:
    return next((names[choice] for choice in choices if choice in names), None)


def _classes(
    folder: pathlib.Path, paths: list[pathlib.Path]
) -> tuple[list[pathlib.Path], list[str] | None]:
    """The files, and the class folder of each or None."""
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
) -> tuple[list[np.ndarray | None], int]:
    """Images of one shape, None for a skipped one, and how many files have further frames."""
    animated = 0
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
                image, several = result
                animated += several
                first = first or (path, image)
                _check_like_first(path, image, first, image_size, len(paths))
                images.append(image)
    colour = any(image is not None and image.shape[-1] == 3 for image in images)
    if colour and image_size is not None:
        images = [
            np.repeat(image, 3, axis=-1) if image is not None and image.shape[-1] == 1 else image
            for image in images
        ]
    return images, animated


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


def _decode(
    path: pathlib.Path, image_size: tuple[int, int] | None
) -> tuple[np.ndarray, bool] | str:
    """(uint8 [H, W, 1 or 3], whether there are further frames), or why not."""
    try:
        with Image.open(path) as file:
            # Pillow's own conversion would clip 16 bits to 255.
            if file.mode.startswith(("I", "F")):
                return f"{file.mode} pixels, expected 8 bits a channel"
            grey = file.mode in ("1", "L", "LA")
            image = ImageOps.exif_transpose(file).convert("L" if grey else "RGB")
            several = getattr(file, "is_animated", False)
    # Pillow's decoders report damage by any of these.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        return str(error).replace(str(path), "file")
    if image_size is not None:
        image = image.resize(image_size[::-1], Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    return (pixels[..., np.newaxis] if pixels.ndim == 2 else pixels), several
