"""Encoding and decoding in batches, as NumPy arrays."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf.models.vae import VAE
from vae_tf.utils.errors import InputError

BATCH = 500
"""Examples that go through a network at once."""


class Decoded(NamedTuple):
    """Latents and the means of p(x|z) at them."""

    x: np.ndarray  # [..., *event], means of p(x|z)
    z: np.ndarray  # [..., D]


def codes(vae: VAE, x: Any) -> np.ndarray:
    """The mean of q(z|x) of each example; of 256 draws with a fixed seed where TFP knows none.

    Args:
        vae: The model.
        x: `[N, *event]`.

    Returns:
        `[N, D]` float32.

    Raises:
        InputError: for no example, another shape, or values the likelihood has no density for.
    """
    return in_batches(lambda batch: _codes(vae, batch), as_batch(x, "x"))


def decoded(vae: VAE, z: Any) -> Decoded:
    """The mean of p(x|z) at each latent.

    Args:
        vae: The model.
        z: `[..., D]`, at least one latent.

    Raises:
        InputError: for no latent, another last axis, or values that are not finite.
    """
    z = as_latents(vae, z, "z")
    flat = z.reshape(-1, vae.latent_dim)
    x = in_batches(lambda batch: vae.likelihood.point_estimate(vae.decode(batch)), flat)
    return Decoded(x.reshape(*z.shape[:-1], *vae.event_shape), z)


def in_batches(function: Callable[[np.ndarray], tf.Tensor], values: np.ndarray) -> np.ndarray:
    """`function` of `values`, `BATCH` rows at a time."""
    parts = [function(values[i : i + BATCH]) for i in range(0, len(values), BATCH)]
    return np.concatenate([np.asarray(part) for part in parts])


def as_batch(x: Any, name: str) -> np.ndarray:
    """`x` as an array of at least one example; `VAE.encode` checks the rest.

    Raises:
        InputError: if there is none.
    """
    values = np.asarray(x)
    if values.ndim == 0 or len(values) == 0:
        raise InputError(
            f"`{name}` has shape {values.shape}, expected [N, *event] with N of at least 1; give at "
            "least one example."
        )
    return values


def as_example(vae: VAE, x: Any, name: str) -> np.ndarray:
    """One example, given as `[*event]` or `[1, *event]`, as `[1, *event]`.

    Raises:
        InputError: for another shape.
    """
    values = np.asarray(x)
    shape = tuple(vae.event_shape)
    if values.shape not in (shape, (1, *shape)):
        raise InputError(
            f"`{name}` has shape {values.shape}, expected one example of shape {shape}; give a "
            f"single one, such as x[0]."
        )
    return values.reshape(1, *shape)


def as_latents(vae: VAE, z: Any, name: str) -> np.ndarray:
    """`z` as float32 `[..., D]`.

    Raises:
        InputError: if its last axis is not D, or it is empty or not finite.
    """
    values = np.asarray(z)
    if values.ndim == 0 or values.shape[-1] != vae.latent_dim or values.size == 0:
        raise InputError(
            f"`{name}` has shape {values.shape}, expected [..., {vae.latent_dim}]: the model has "
            f"{vae.latent_dim} latent dimensions."
        )
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise InputError(
            f"`{name}` has values that are not finite numbers; look where they come from."
        )
    return values.astype(np.float32)


def as_values(values: Any, name: str) -> np.ndarray:
    """`values` as finite float32 `[V]`, V of at least 1.

    Raises:
        InputError: if they are anything else.
    """
    try:
        array = np.asarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"`{name}` is {values!r}, expected a list of numbers.") from error
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise InputError(
            f"`{name}` is {values!r}, expected a list of at least one finite number, such as "
            "[-2, 0, 2]."
        )
    return array


def as_dimensions(vae: VAE, dimensions: Any) -> list[int]:
    """Latent dimensions, counted from 0; None is all of them.

    Raises:
        InputError: if one is no dimension of the model.
    """
    if dimensions is None:
        return list(range(vae.latent_dim))
    given = [dimensions] if np.ndim(dimensions) == 0 else list(dimensions)
    wrong = [
        d
        for d in given
        if isinstance(d, bool) or not hasattr(d, "__index__") or not 0 <= d < vae.latent_dim
    ]
    if wrong or not given:
        raise InputError(
            f"`dimensions` is {dimensions!r}, expected ints from 0 to {vae.latent_dim - 1}; None "
            "stands for all."
        )
    return [int(d) for d in given]


def _codes(vae: VAE, batch: np.ndarray) -> tf.Tensor:
    try:
        return vae.posterior.point_estimate(vae.encode(batch))
    except NotImplementedError:
        return vae.moments(batch)["z"].mean
