"""Sizes and layouts of images."""

from collections.abc import Sequence
from typing import Any

import keras

from vae_tf.layers.base import as_shape
from vae_tf.utils.errors import InputError


def as_image_shape(event_shape: Sequence[int]) -> tuple[int, int, int]:
    """`event_shape` as (height, width, channels); [H, W] has one channel.

    Raises:
        InputError: if events of this shape are no images.
    """
    shape = as_shape(event_shape)
    if len(shape) == 2:
        return (*shape, 1)
    if len(shape) != 3:
        raise InputError(
            f"A convolutional network needs images, event_shape [height, width, channels] or "
            f"[height, width]; got {list(shape)}: use the mlp networks (preset 'mlp') for other "
            "data."
        )
    return shape[0], shape[1], shape[2]


def halvings(height: int, width: int, times: int) -> list[tuple[int, int]]:
    """The sizes of an image that is halved `times` times, rounding up; the first is its own."""
    sizes = [(height, width)]
    for _ in range(times):
        height, width = (height + 1) // 2, (width + 1) // 2
        sizes.append((height, width))
    return sizes


def with_channels(x: keras.KerasTensor, shape: tuple[int, int, int]) -> keras.KerasTensor:
    """`[B, H, W]` or `[B, H, W, C]` -> `[B, H, W, C]`."""
    return x if len(x.shape) == 4 else keras.layers.Reshape(shape, name="channels")(x)


def flat_planes(h: keras.KerasTensor, params_per_element: int) -> keras.KerasTensor:
    """Feature maps as the parameters of a per-element likelihood.

    Args:
        h: `[B, H, W, P C]`, channel p C + c being parameter p of image channel c.
        params_per_element: int. P.

    Returns:
        `[B, P H W C]`: all of parameter 0 first, as `vae_tf.layers.ElementwiseLayer` reads them.
    """
    if params_per_element > 1:
        _, height, width, channels = h.shape
        shape: tuple[Any, ...] = (height, width, params_per_element, channels // params_per_element)
        h = keras.layers.Reshape(shape, name="planes")(h)
        h = keras.layers.Permute((3, 1, 2, 4), name="planes_first")(h)
    return keras.layers.Flatten(name="parameters")(h)
