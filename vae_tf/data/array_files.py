"""`.npy` and `.npz` files."""

import pathlib
import zipfile
import zlib
from typing import Any

import numpy as np

from vae_tf.data.account import Account
from vae_tf.data.arrays import Arrays
from vae_tf.utils.errors import InputError


def read(path: pathlib.Path) -> Arrays:
    """The arrays of a file.

    Args:
        path: pathlib.Path. A `.npy` holds one array; a `.npz` holds `x_train` and optionally
            `y_train`, `x_test`, `y_test`, or `x` and optionally `y`, or a single array.

    Returns:
        Arrays, not yet checked.

    Raises:
        InputError: if the file is damaged, holds Python objects or other keys.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return Arrays(loaded, account=Account(files=1))
        with loaded:
            found = {key: loaded[key] for key in loaded.files}
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, OSError) as error:
        raise InputError(
            f"{path} cannot be read as NumPy arrays ({error}); save plain numeric arrays with "
            "numpy.save or numpy.savez."
        ) from None
    for names in (("x_train", "x_test", "y_train", "y_test"), ("x", None, "y", None)):
        if names[0] in found:
            return _named(found, names)
    if len(found) == 1:
        return _named(found, (*found, None, None, None))
    raise InputError(
        f"{path} holds the arrays {', '.join(found) or '(none)'}; name them x_train, x_test, "
        "y_train, y_test, or x and y."
    )


def _named(found: dict[str, Any], names: tuple[str | None, ...]) -> Arrays:
    """The arrays of these names, and an account of the others."""
    taken = [found.get(name) if name else None for name in names]
    others = dict.fromkeys(found.keys() - names, "an array of another name")
    number = sum(array is not None for array in taken)
    account = Account(1, number, skipped_columns=dict(sorted(others.items())), kind="array")
    x_train, x_test, y_train, y_test = taken
    return Arrays(x_train, x_test, y_train, y_test, account=account)
