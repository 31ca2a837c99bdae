"""Image datasets of TensorFlow Datasets, by name."""

import contextlib
import difflib
import pathlib
import re
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import requests
import tensorflow_datasets as tfds

from vae_tf.data.account import Account
from vae_tf.data.records import Records
from vae_tf.utils.errors import InputError

DOCUMENTED = (
    "mnist",
    "fashion_mnist",
    "kmnist",
    "emnist",
    "binarized_mnist",
    "omniglot",
    "cifar10",
    "svhn_cropped",
    "celeb_a",
    "dsprites",
)
ALTERNATIVES = (
    "'digits' (needs no download), a folder of IDX files or of PNG/JPEG/... images, a .npy/.npz, "
    ".csv or .parquet file, or data_dir= with a prepared copy"
)
_IDX_BUILDER = "idx_images"  # only makes sense with a folder
_SECONDS = 10


def known(name: str) -> bool:
    """Whether TensorFlow Datasets has code for the name (its config and version aside)."""
    return re.split("[/:]", name)[0] in tfds.list_builders()


def open_records(
    name: str,
    data_dir: Any = None,
    manual_dir: Any = None,
    image_size: tuple[int, int] | None = None,
) -> Records:
    """Finds the dataset, downloading and preparing it if need be, and its image feature.

    Args:
        name: str. `name`, `name/config` or `name/config:version`.
        data_dir: path or None. Where prepared copies are. Defaults to TensorFlow Datasets' own.
        manual_dir: path or None. Files fetched by hand, for the datasets that want them.
        image_size: (height, width) or None.

    Returns:
        Records.

    Raises:
        InputError: for an unknown name, one without images, a failed download.
    """
    builder = _builder(name, data_dir)
    image, label = _features(builder)
    records = Records(builder, image, label, image_size)
    _ = records.event_shape  # refused before anything is downloaded
    if not builder.is_prepared():
        _prepare(builder, name, manual_dir)
    return records


def splits(records: Records) -> tuple[str, str | None]:
    """(train split, test split or None); "validation" stands in where there is no "test"."""
    names = [name for name, split in records.builder.info.splits.items() if split.num_examples]
    if not names:
        raise InputError(f"{records.builder.name!r} is empty; choose another dataset.")
    train = "train" if "train" in names else names[0]
    test = next((name for name in ("test", "validation") if name in names and name != train), None)
    return train, test


def account_of(records: Records, train: str, test: str | None) -> Account:
    """Which features and splits are taken, which are not, and which of several images is."""
    fields = dict(records.builder.info.features.items())
    taken = [key for key in (records.image, records.label) if key is not None]
    others = [key for key in fields if key not in taken]
    images = [key for key in others if isinstance(fields[key], tfds.features.Image)]
    remarks = []
    if images:
        remarks.append(
            f"of the image features {', '.join([records.image, *images])} {records.image!r} was taken"
        )
    splits = sorted(records.builder.info.splits.keys() - {train, test})
    if splits:
        remarks.append(f"splits {', '.join(splits)} were not taken")
    why = "neither the image nor its class"
    account = Account(
        columns=len(taken), skipped_columns=dict.fromkeys(others, why), kind="feature"
    )
    return account.with_remarks(remarks)


def _builder(name: str, data_dir: Any) -> Any:
    try:
        if re.split("[/:]", name)[0] == _IDX_BUILDER:
            raise tfds.core.registered.DatasetNotFoundError(name)
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError:
        choices = [other for other in tfds.list_builders() if other != _IDX_BUILDER]
        close = difflib.get_close_matches(name, ["digits", *choices], n=3)
        meant = f"did you mean {' or '.join(map(repr, close))}? Otherwise " if close else ""
        raise InputError(
            f"there is no dataset, file or folder {name!r}; {meant}use a name of TensorFlow "
            f"Datasets such as 'mnist', or {ALTERNATIVES}."
        ) from None
    except ImportError as error:
        raise InputError(_missing_package(name, error)) from None
    except (ValueError, AssertionError, OSError, TypeError, RuntimeError) as error:
        # tfds reports an unknown config or version by any of these.
        raise InputError(
            f"the dataset {name!r} cannot be opened ({_short(error)}); check its config and "
            "version, as in 'name/config:version'."
        ) from None


def _features(builder: Any) -> tuple[str, str | None]:
    features = builder.info.features
    fields = dict(features.items()) if hasattr(features, "items") else {}
    images = [key for key, value in fields.items() if isinstance(value, tfds.features.Image)]
    if not images:
        raise InputError(
            f"the dataset {builder.name!r} has no image feature (its features: "
            f"{', '.join(fields) or features}); choose an image dataset such as 'mnist'."
        )
    target = (builder.info.supervised_keys or (None,))[-1]
    candidates = [key for key in (target, "label") if isinstance(key, str)]
    label = next(
        (key for key in candidates if isinstance(fields.get(key), tfds.features.ClassLabel)), None
    )
    return _image(builder, images), label


def _image(builder: Any, images: list[str]) -> str:
    """The image feature that is meant: the only one, "image", or what the dataset calls its input."""
    chosen = ("image", (builder.info.supervised_keys or (None,))[0])
    image = images[0] if len(images) == 1 else next((key for key in chosen if key in images), None)
    if image is None:
        raise InputError(
            f"the dataset {builder.name!r} has the image features {', '.join(images)} and does not "
            "say which one is its input; read one with tensorflow_datasets and pass its array to "
            "vae_tf.data.from_arrays."
        )
    return image


def _prepare(builder: Any, name: str, manual_dir: Any) -> None:
    """Downloads and prepares, or raises `InputError` and leaves nothing half-done behind."""
    unreachable = None if manual_dir is not None else _unreachable(builder)
    if unreachable is not None and not _has_downloads(builder):
        raise InputError(_manual(builder, name, manual_dir) or _failed(name, unreachable))
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    try:
        # tfds tells of its progress on stdout, which belongs to the program's own output.
        with _nothing_left_on_failure(builder), contextlib.redirect_stdout(sys.stderr):
            builder.download_and_prepare(download_config=config, file_format="tfrecord")
    except ImportError as error:
        raise InputError(_missing_package(name, error)) from None
    except Exception as error:  # builders fail in ways of their own
        if builder.is_prepared():  # another process was faster
            return
        raise InputError(_manual(builder, name, manual_dir) or _failed(name, error)) from error


def _unreachable(builder: Any) -> Exception | None:
    """Why the dataset's first server cannot be reached, asked once: tfds asks for minutes."""
    url = next((url for url in builder.url_infos if url.startswith("http")), None)
    if url is not None:
        try:
            requests.head(url, timeout=_SECONDS)
        except (requests.exceptions.SSLError, requests.exceptions.ReadTimeout):
            return None  # it is there; tfds has its own certificates and patience
        except requests.exceptions.RequestException as error:
            return error
    return None


def _has_downloads(builder: Any) -> bool:
    """Whether files downloaded before, or put there by hand, may make the network needless."""
    downloads = pathlib.Path(builder.data_dir_root) / "downloads"
    return any(path.is_file() and ".tmp." not in str(path) for path in downloads.rglob("*"))


def _manual(builder: Any, name: str, manual_dir: Any) -> str | None:
    """What to do for a dataset whose files must be fetched by hand, None for the others."""
    if not builder.MANUAL_DOWNLOAD_INSTRUCTIONS or manual_dir is not None:
        return None
    how = " ".join(builder.MANUAL_DOWNLOAD_INSTRUCTIONS.split())
    return f"{name!r} needs files fetched by hand ({how}); pass their folder as manual_dir=."


def _failed(name: str, error: Exception) -> str:
    return f"{name!r} needs a download, which failed ({_short(error)}); instead use {ALTERNATIVES}."


def _missing_package(name: str, error: ImportError) -> str:
    return (
        f"the dataset {name!r} needs a Python package that is not installed ({_short(error)}); "
        "install it, or choose another dataset."
    )


def _short(error: BaseException) -> str:
    """The innermost reason on one line of at most 160 characters."""
    text = " ".join(str(error).split())
    reason = re.search(r"(Failed to resolve '[^']*'|Connection refused|timed out)", text)
    text = reason[1] if reason else text or type(error).__name__
    return text if len(text) <= 160 else f"{text[:157]}..."


@contextlib.contextmanager
def _nothing_left_on_failure(builder: Any) -> Iterator[None]:
    """Removes partial downloads and empty folders that a failure in the block leaves behind."""
    root = pathlib.Path(builder.data_dir_root)
    downloads = root / "downloads"
    existed = root.exists()
    before = set(downloads.rglob("*.tmp.*"))
    try:
        yield
    except BaseException:
        for path in set(downloads.rglob("*.tmp.*")) - before:
            shutil.rmtree(path, ignore_errors=True)
        for top in (downloads, root / builder.name):
            for folder in sorted([top, *top.rglob("*")], reverse=True):
                with contextlib.suppress(OSError):  # not a folder, or not empty
                    folder.rmdir()
        if not existed:
            with contextlib.suppress(OSError):
                root.rmdir()
        raise
