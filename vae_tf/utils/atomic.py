"""Files and folders that appear whole or not at all."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

_SUFFIX = ".tmp"


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a path to write to, and moves what is there to `path` at the end, in one step.

    The body writes a file or makes a folder at the path that it is given, which has the same name
    in a hidden folder beside `path`. It is on the disk before it is moved, so that neither a kill
    nor a power cut leaves half of it at `path`. If the body or the move fails, what was at `path`
    is still there and the hidden folder is gone; after a kill -9, `remove_leftovers` removes it.

    Args:
        path: Where the file or folder is to be. A file there is replaced; a folder is not.

    Yields:
        The path to write to.

    Raises:
        OSError: if it cannot be written (full disk, no permission), with `path` as its filename.
    """
    path = Path(path)
    # A folder and not only a name of its own: Keras wants a suffix, and puts files beside its own.
    hidden = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden.mkdir()
        written = hidden / path.name
        yield written
        _flush(written)
        os.replace(written, path)
        _flush_entry(path.parent)
    except OSError as error:
        # The name of the hidden file would tell a user nothing.
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes `text` to `path` in UTF-8, as `replacing` does.

    Raises:
        OSError: see `replacing`.
    """
    with replacing(path) as written:
        written.write_text(text, encoding="utf-8", newline="")


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Removes what killed processes left half-written in `folder` and the folders in it.

    Raises:
        OSError: if something cannot be removed.
    """
    for leftover in Path(folder).rglob(f".*{_SUFFIX}"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)  # of vae_tf.pictures.save


def _flush(written: Path) -> None:
    """Brings a file, or every file in a folder, to the disk."""
    if written.is_dir():
        for child in written.iterdir():
            _flush(child)
        _flush_entry(written)
        return
    with open(written, "rb+") as file:
        os.fsync(file.fileno())


def _flush_entry(folder: Path) -> None:
    """Brings the names in a folder to the disk, where the system lets one open a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
