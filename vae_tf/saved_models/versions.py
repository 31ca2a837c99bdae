"""Version directories, as TensorFlow Serving numbers them."""

from pathlib import Path

from vae_tf.utils.errors import InputError


def version_directory(path: Path) -> Path:
    """Where an export to `path` goes.

    Args:
        path: A version directory, whose name is a number ("models/digits/3"), or the model's own
            ("models/digits"), which gets the number after its highest, from 1 on.

    Raises:
        InputError: if the version exists already, or the model's directory is a file.
    """
    if path.name.isascii() and path.name.isdigit():
        if path.exists() or path.is_symlink():
            raise InputError(
                f"{path} exists already; export to {path.parent}, which takes the next version."
            )
        return path
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a directory for the versions of the model.")
    # Files count too: TensorFlow Serving takes any child whose name is a number for a version.
    names = [child.name for child in path.iterdir()] if path.is_dir() else []
    taken = [int(name) for name in names if name.isascii() and name.isdigit()]
    return path / str(max(taken, default=0) + 1)
