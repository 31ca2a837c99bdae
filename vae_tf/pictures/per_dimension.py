"""Checks of one number for each latent dimension."""

from typing import Any

import numpy as np

from vae_tf.pictures.checks import as_numbers
from vae_tf.utils.errors import InputError


def as_dimensions(values: Any, name: str) -> np.ndarray:
    """Returns `values` as finite floats `[D]`, D of at least 1.

    Raises:
        InputError: if they are anything else.
    """
    array = as_numbers(values, name)
    if array.ndim != 1 or array.size == 0:
        raise InputError(
            f"`{name}` has shape {array.shape}, but the picture needs one number a latent "
            "dimension, [D]; average over the examples first."
        )
    if not np.isfinite(array).all():
        raise InputError(f"`{name}` has NaN or infinite values; look for where they come from.")
    return array
