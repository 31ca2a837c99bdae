"""Writing of a figure: whole, or not at all."""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from vae_tf.pictures.style import DPI, style
from vae_tf.utils.errors import InputError

# Without dates, the same picture gives the same bytes.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


def save(figure: Figure, path: str | os.PathLike[str], *, dpi: int = DPI) -> Path:
    """Writes a picture in the format of its suffix, so that `path` is never half a file.

    The picture is written beside `path` and then renamed. If that fails, or is interrupted, what
    was at `path` is still there and the other file is gone.

    Args:
        figure: What a function of `vae_tf.pictures` returned.
        path: Ends in .png, .svg or .pdf. Missing folders are made.
        dpi: Output pixels per inch of a PNG. Image grids are exact at multiples of the default.

    Returns:
        `path`.

    Raises:
        InputError: Another suffix, a folder or disk that cannot be written to.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _METADATA:
        raise InputError(
            f"{path} ends in {path.suffix!r}, but a picture can be .png, .svg or .pdf."
        )
    if path.is_dir():
        raise InputError(f"{path} is a folder. Give the name of a file.")
    # Made by `open`, not by `tempfile`, so that it has the permissions of any new file.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with style(), open(temporary, "xb") as file:
            figure.savefig(file, format=kind, dpi=dpi, metadata=_METADATA[kind])
            file.flush()
            os.fsync(file.fileno())  # a full disk may say so only here
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(
            f"The picture {path} could not be written: {error.strerror or error}. Make room, or "
            f"choose a folder you may write to."
        ) from error
    finally:
        with contextlib.suppress(OSError):  # nothing there to remove, in most cases
            temporary.unlink()
    return path
