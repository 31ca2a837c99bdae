"""`load`: from a name or a path to `Data`."""

import contextlib
import io
import math
import os
import pathlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from vae_tf.data import (
    array_files,
    checks,
    idx,
    idx_builder,
    image_folder,
    records,
    streaming,
    tables,
    tfds_source,
)
from vae_tf.data import binarize as binarizing
from vae_tf.data.account import Account
from vae_tf.data.arrays import Arrays
from vae_tf.data.dataset import Data
from vae_tf.data.from_arrays import build
from vae_tf.data.splits import held_out
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError

# Above this, datasets of TensorFlow Datasets are read from disk as training goes along.
MAX_BYTES_IN_MEMORY = 2 * 2**30
_ARRAYS = (".npy", ".npz")
TABLES = (".csv", ".parquet")
_DIGITS_TEST = 297


def names() -> tuple[str, ...]:
    """The documented names that `load` knows: "digits" and datasets of TensorFlow Datasets.

    Returns:
        tuple of str. Every other image dataset of TensorFlow Datasets works as well.
    """
    return ("digits", *tfds_source.DOCUMENTED)


def load(
    name_or_path: str | os.PathLike[str],
    batch_size: int = 128,
    *,
    binarize: str | None = None,
    seed: int = 0,
    first_epoch: int = 0,
    image_size: tuple[int, int] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    manual_dir: str | os.PathLike[str] | None = None,
    test_fraction: float = 0.1,
    on_corrupt: str = "raise",
    standardize: bool = False,
    drop_remainder: bool = False,
    label_column: str | None = None,
    drop: Sequence[str] = (),
    columns: Sequence[str] | None = None,
    dequantize: bool = False,
) -> Data:
    """Train and test pipelines of a dataset.

    Args:
        name_or_path: str or path. "digits" (8x8, scikit-learn's; 1500 to train, 297 to test); an
            image dataset of TensorFlow Datasets, as `name`, `name/config` or
            `name/config:version`; a folder of IDX files or of images (PNG, JPEG, WebP, TIFF and
            what else Pillow reads); a `.npy`, `.npz`, `.csv` or `.parquet` file. A known name comes
            first: a folder "mnist" is "./mnist".
        batch_size: int. Examples a batch. Defaults to 128.
        binarize: None, "threshold", "static" or "dynamic". For values in [0, 1]: x >= 0.5; one
            draw from Bernoulli(x) an example, the same in every epoch; a new draw in every epoch
            for the train split. The test split has one draw an example, the same for every seed,
            so that figures of two runs compare. Defaults to None.
        seed: int. The order of every epoch and every draw of the train split are pure functions
            of it. Defaults to 0.
        first_epoch: int. The epoch that the first iteration of `train` gives: after e epochs of
            another pipeline, `first_epoch=e` goes on exactly there. Defaults to 0.
        image_size: (height, width) in pixels to scale images to, or None. Defaults to None.
        data_dir: path or None. Where prepared datasets are kept (names and IDX folders). Defaults
            to TensorFlow Datasets' own.
        manual_dir: path or None. Files fetched by hand, for datasets that want them.
        test_fraction: float in (0, 1). What is held out where there is no test split; the same
            examples whatever the seed. Defaults to 0.1.
        on_corrupt: "raise" or "skip". For an image file that cannot be decoded: raise, or warn
            and leave it out. Defaults to "raise".
        standardize: bool. Columns of a table to mean 0 and deviation 1 over the train split.
            Defaults to False.
        drop_remainder: bool. Leave out the incomplete last train batch. Defaults to False.
        label_column: str or None. Column of a table that holds the classes. Defaults to None.
        drop: sequence of str. Columns of a table to leave out. Defaults to none.
        columns: sequence of str or None. Columns that a table has to have, besides those of `drop`
            and `label_column`, which then may be missing; taken in this order. Defaults to those
            that it has.
        dequantize: bool. Make the levels k of 8-bit pixels the values (k + u) / 256 with u uniform
            between 0 and 1: drawn anew in every epoch for the train split, once for the test split,
            whatever the seed. Densities are then bounded, and their bits per dimension an upper
            bound of those of the pixels. Defaults to False: k / 255.

    Returns:
        Data.

    Raises:
        InputError: for an unknown name, a failed download, a damaged file (named), a missing
            value (row and column named), NaN, an empty dataset, or an argument out of range.
    """
    binarizing.check_mode(binarize)
    as_count("batch_size", batch_size)
    size = checks.check_image_size(image_size)
    checks.check_fraction(test_fraction)
    path = as_path(name_or_path)
    name = str(name_or_path) if path is None else path.resolve().name
    options: dict[str, Any] = {
        "name": name,
        "batch_size": batch_size,
        "binarize": binarize,
        "dequantize": dequantize,
        "seed": seed,
        "first_epoch": first_epoch,
        "test_fraction": test_fraction,
        "drop_remainder": drop_remainder,
    }
    drop = _column_names("drop", drop)
    is_table = path is not None and path.suffix.lower() in TABLES and path.is_file()
    of_tables = {"drop": list(drop), "label_column": label_column}
    if not is_table and columns is None:
        for option, value in of_tables.items():
            if value:
                raise InputError(
                    f"{option}={value!r} was given, but {name!r} is no table; leave it out."
                )
    if path is None and name != "digits":
        if standardize:
            raise InputError(f"standardize=True is for tables, but {name!r} holds images.")
        return _from_tfds(name, data_dir, manual_dir, size, options)
    if path is None:
        arrays = _digits()
    elif path.is_dir():
        arrays = _from_folder(path, size, on_corrupt, data_dir)
    elif is_table:
        wanted = None if columns is None else _column_names("columns", columns)
        arrays = tables.read(path, label_column, drop, wanted)
    else:
        arrays = array_files.read(path)
    if size is not None:
        arrays = _resized(arrays, size, name)
    return build(arrays, standardize=standardize, **options)


def as_path(name_or_path: str | os.PathLike[str]) -> pathlib.Path | None:
    """The path that is meant, or None for a name."""
    text = os.fspath(name_or_path)
    path = pathlib.Path(text).expanduser()
    suffixes = (*_ARRAYS, *TABLES)
    spelled = not isinstance(name_or_path, str) or text.startswith((".", "~", os.sep))
    spelled = spelled or path.suffix.lower() in suffixes
    if not spelled and (text == "digits" or not path.exists() or tfds_source.known(text)):
        return None
    if not path.exists():
        raise InputError(f"there is no file or folder {text!r}; check the path.")
    if path.is_file() and path.suffix.lower() not in suffixes:
        raise InputError(
            f"{text!r} is a file of an unknown kind; expected {', '.join(suffixes)}, or a folder "
            "of IDX files or of images."
        )
    return path


def _column_names(what: str, names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{what}={names!r} was given; pass a list of names of columns.")
    return tuple(names)


def _digits() -> Arrays:
    from sklearn import datasets  # a second to import, and only needed here

    bunch = datasets.load_digits()
    images, labels = bunch.images.astype(np.uint8), bunch.target
    train, test = held_out(len(images), _DIGITS_TEST / len(images))
    return Arrays(
        images[train],
        images[test],
        labels[train],
        labels[test],
        class_names=tuple(str(i) for i in range(10)),
        divisor=16.0,
    )


def _from_folder(
    path: pathlib.Path, size: tuple[int, int] | None, on_corrupt: str, data_dir: Any
) -> Arrays:
    if idx.find_files(path):
        return _from_idx(path, data_dir)
    if image_folder.holds_images(path):
        return image_folder.read(path, size, on_corrupt)
    raise InputError(
        f"the folder {str(path)!r} holds neither IDX files (train-images-idx3-ubyte, ...) nor "
        "images (.png, .jpg, .webp, .tif, ...); pass a folder with either."
    )


def _from_idx(path: pathlib.Path, data_dir: Any) -> Arrays:
    builder = idx_builder.IdxImages(folder=path, data_dir=data_dir)
    if not builder.is_prepared():
        try:
            # A few seconds, and nothing is downloaded, whatever tfds prints.
            quiet = io.StringIO()
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                builder.download_and_prepare(file_format="tfrecord")
        except OSError as error:
            if not builder.is_prepared():  # another process may have been faster
                raise InputError(
                    f"the IDX files of {str(path)!r} cannot be prepared in {builder.data_dir} "
                    f"({error}); pass a writable data_dir= with room for them."
                ) from None
    label = "label" if "label" in builder.info.features else None
    arrays = _read_all(records.Records(builder, "image", label))
    taken = set(idx.find_files(path).values())
    others = Counter(path.is_dir() for path in path.iterdir() if path not in taken)
    kinds = {True: "folder beside IDX files", False: "no IDX file by its name"}
    skipped = {kinds[is_folder]: number for is_folder, number in others.items()}
    arrays.account = Account(files=len(taken), skipped_files=skipped)
    return arrays


def _from_tfds(
    name: str,
    data_dir: Any,
    manual_dir: Any,
    size: tuple[int, int] | None,
    options: dict[str, Any],
) -> Data:
    source = tfds_source.open_records(name, data_dir, manual_dir, size)
    train, test = tfds_source.splits(source)
    examples = sum(source.count(split) for split in (train, test) if split is not None)
    one = math.prod(source.event_shape) * source.dtype.itemsize
    account = tfds_source.account_of(source, train, test)
    if examples * one > MAX_BYTES_IN_MEMORY:
        return streaming.build(source, train, test, account=account, **options)
    arrays = _read_all(source, train, test)
    arrays.account = account
    return build(arrays, **options)


def _read_all(source: records.Records, train: str = "train", test: str | None = "test") -> Arrays:
    """Both splits in memory."""
    x_train, y_train = source.arrays(train)
    x_test = y_test = None
    if test is not None and test in source.builder.info.splits:
        x_test, y_test = source.arrays(test)
    return Arrays(x_train, x_test, y_train, y_test, class_names=source.class_names)


def _resized(arrays: Arrays, size: tuple[int, int], name: str) -> Arrays:
    """The same images at (height, width); those of that size already stay as they are."""
    if arrays.table:
        raise InputError(f"image_size was given, but {name!r} is a table; leave it out.")
    for field in ("x_train", "x_test"):
        x = getattr(arrays, field)
        if x is None:
            continue
        x = checks.check_values(x, "the array")
        if x.ndim != 4:
            raise InputError(
                f"image_size was given, but {name!r} holds vectors of shape {x.shape[1:]}, not "
                "images; leave it out."
            )
        if x.shape[1:3] != size:
            parts = [records.resize(x[i : i + 512], size) for i in range(0, len(x), 512)]
            setattr(arrays, field, np.concatenate([part.numpy() for part in parts]))
    return arrays
