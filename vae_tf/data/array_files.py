"""`.npy` and `.npz` files."""

import pathlib
import zipfile
import zlib

import numpy as np

from vae_tf.data.from_arrays import Arrays
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
            return Arrays(loaded)
        with loaded:
            found = {key: loaded[key] for key in loaded.files}
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, OSError) as error:
        raise InputError(
            f"{path} cannot be read as NumPy arrays ({error}); save plain numeric arrays with "
            "numpy.save or numpy.savez."
        ) from None
    if "x_train" in found:
        x_test, y_train, y_test = (found.get(key) for key in ("x_test", "y_train", "y_test"))
        return Arrays(found["x_train"], x_test, y_train, y_test)
    if "x" in found:
        return Arrays(found["x"], y_train=found.get("y"))
    if len(found) == 1:
        return Arrays(next(iter(found.values())))
    raise InputError(
        f"{path} holds the arrays {', '.join(found) or '(none)'}; name them x_train, x_test, "
        "y_train, y_test, or x and y."
    )
