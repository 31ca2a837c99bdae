"""Checks of the arguments of every attribution, and the import of tf-keras-vis."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.explore.codes import as_batch
from vae_tf.models.vae import VAE
from vae_tf.training.data_checks import check_shape, check_values
from vae_tf.utils.errors import InputError


def visualiser(module: str) -> ModuleType:
    """A module of tf-keras-vis, which is an optional dependency.

    Raises:
        InputError: if it is not installed.
    """
    try:
        return importlib.import_module(f"tf_keras_vis.{module}")
    except ModuleNotFoundError as error:
        raise InputError(
            f"Attribution needs tf-keras-vis, and {error.name} is not installed; run "
            "pip install 'vae-tf[vis]'."
        ) from error


def as_images(vae: VAE, x: Any) -> np.ndarray:
    """`x` as float32 `[N, H, W, C]`.

    Raises:
        InputError: if the events of the model are no images, or `x` is no batch of them.
    """
    if len(vae.event_shape) != 3:
        raise InputError(
            f"Attribution maps need images [N, H, W, C], but the model is of events of shape "
            f"{tuple(vae.event_shape)}."
        )
    x = as_batch(x, "x")
    check_shape(x.shape, vae.event_shape, "x")
    check_values(x, vae.likelihood, "x")
    return x.astype(np.float32)


def latent(dimension: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """The score of tf-keras-vis that is one latent of each example: `[B, D]` -> `[B]`."""
    return lambda means: means[:, dimension]


def scaled(maps: np.ndarray) -> np.ndarray:
    """Maps `[..., H, W]` of at least 0, each divided by its maximum; one of zeros stays so."""
    highest = maps.max(axis=(-2, -1), keepdims=True)
    return (maps / np.where(highest > 0, highest, 1)).astype(np.float32)


@contextmanager
def numpy_seed(seed: int) -> Iterator[None]:
    """Makes NumPy's global generator, which tf-keras-vis draws from, start from `seed`; puts it back."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
