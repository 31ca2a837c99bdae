"""The files below a folder: links followed, hidden ones left out."""

import os
import pathlib
from collections import Counter
from collections.abc import Iterator

# What operating systems and tools leave in folders, beside names with a leading dot.
_LITTER = frozenset(
    ("__macosx", "__pycache__", "@eadir", "$recycle.bin", "lost+found", "thumbs.db", "desktop.ini")
)


def is_hidden(name: str) -> bool:
    """Whether a file or folder of that name holds no data: a leading dot, `Thumbs.db` and its like."""
    return name.startswith(".") or name.lower() in _LITTER


def files_below(
    folder: pathlib.Path, skipped: "Counter[str] | None" = None
) -> Iterator[pathlib.Path]:
    """Yields the files in a folder and below, in the order of their names.

    Links to files and folders are followed. A link to a folder that it lies in is not.

    Args:
        folder: pathlib.Path.
        skipped: Counter or None. Counts what is left out, by reason.
    """
    return _walk(folder, (os.path.realpath(folder),), Counter() if skipped is None else skipped)


def _walk(
    folder: pathlib.Path, around: tuple[str, ...], skipped: "Counter[str]"
) -> Iterator[pathlib.Path]:
    for path in sorted(folder.iterdir()):
        if is_hidden(path.name):
            skipped["hidden folder" if path.is_dir() else "hidden file"] += 1
        elif path.is_dir():
            real = os.path.realpath(path)
            if real in around:
                skipped["link to a folder around it"] += 1
            else:
                yield from _walk(path, (*around, real), skipped)
        elif path.is_file():
            yield path
        else:
            skipped["link to nothing" if path.is_symlink() else "no file"] += 1
