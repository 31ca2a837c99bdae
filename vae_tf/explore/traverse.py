"""Traversal of one latent dimension at a time."""

from typing import Any

import numpy as np

from vae_tf.explore.codes import (
    Decoded,
    as_dimensions,
    as_example,
    as_values,
    codes,
    decoded,
)
from vae_tf.models.vae import VAE
from vae_tf.utils.errors import InputError

VALUES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


def traverse(vae: VAE, x: Any = None, dimensions: Any = None, values: Any = VALUES) -> Decoded:
    """Decodes a code with one of its dimensions set to each of `values`, the others held.

    Args:
        vae: The model.
        x: `[*event]`. Whose code it is. Defaults to None: the mean of the prior.
        dimensions: ints. Which are moved, counted from 0. Defaults to None: all D.
        values: `[V]`. What they are set to. Defaults to -3 ... 3: of a standard normal prior, three
            standard deviations to either side.

    Returns:
        `Decoded(x [len(dimensions), V, *event], z [len(dimensions), V, D])`.

    Raises:
        InputError: for another shape, a dimension that is not there, values that are no numbers, or
            without `x` a prior that has no mean in closed form.
    """
    moved, values = as_dimensions(vae, dimensions), as_values(values, "values")
    start = _prior_mean(vae) if x is None else codes(vae, as_example(vae, x, "x"))[0]
    z = np.tile(start, (len(moved), len(values), 1))
    for row, dimension in enumerate(moved):
        z[row, :, dimension] = values
    return decoded(vae, z)


def _prior_mean(vae: VAE) -> np.ndarray:
    p_z = vae.p_z()
    try:
        return p_z.mean().numpy()
    except NotImplementedError as error:
        raise InputError(
            f"The prior {p_z.name} has no mean in closed form to start from; give an example `x`."
        ) from error
