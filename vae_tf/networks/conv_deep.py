"""Residual convolutional networks, for images of any size and number of channels."""

from collections.abc import Sequence
from typing import Any

import keras

from vae_tf.networks.building import Builder, Sizes, as_sizes
from vae_tf.networks.images import as_image_shape, flat_planes, halvings, with_channels
from vae_tf.utils.checks import as_count


def conv_deep_encoder(
    event_shape: Sequence[int],
    outputs: int,
    filters: Sizes = (32, 64, 128),
    blocks: int = 2,
    activation: Any = "silu",
    *,
    seed: int | None = None,
    name: str = "encoder",
) -> keras.Model:
    """Stages of residual blocks from an image to the parameters of q(z|x).

    A stage halves the image with a convolution of stride 2 and adds `blocks` blocks, h + conv(
    act(conv(act(h)))). The last convolution of a block starts at zero, so the network starts as its
    few halving layers and deepens as it learns: it needs no normalisation layer (as in Zhang et al.
    (2019), "Fixup initialization"), and an example's output never depends on its batch.

    Args:
        event_shape: sequence of ints. [height, width, channels] or [height, width] of one image.
        outputs: int. The posterior's `params_size`.
        filters: int or sequence of ints. Channels of each stage. Defaults to (32, 64, 128).
        blocks: int. Residual blocks in a stage. Defaults to 2.
        activation: str or callable. Defaults to "silu".
        seed: int. Seed of the initial weights. Defaults to None (fresh).
        name: str. Name of the model. Defaults to "encoder".

    Returns:
        `keras.Model`, `[B, *event_shape]` -> `[B, outputs]`.

    Raises:
        InputError: for an argument that is none of these.
    """
    build = Builder(activation, seed)
    image = as_image_shape(event_shape)
    x = build.inputs(event_shape, "x")
    h = with_channels(x, image)
    for i, channels in enumerate(as_sizes("filters", filters, least=1), start=1):
        h = build.conv(channels, f"stage_{i}", strides=2, linear=True)(h)
        h = _blocks(build, h, blocks, f"stage_{i}")
    h = keras.layers.Flatten(name="flatten")(build.activate(h, "activation"))
    parameters = build.dense(as_count("outputs", outputs), "parameters", linear=True)(h)
    return keras.Model(x, parameters, name=name)


def conv_deep_decoder(
    latent_dim: int,
    event_shape: Sequence[int],
    params_per_element: int = 1,
    filters: Sizes = (128, 64, 32),
    blocks: int = 2,
    activation: Any = "silu",
    *,
    seed: int | None = None,
    name: str = "decoder",
) -> keras.Model:
    """Stages of residual blocks from z to the parameters of p(x|z), an image.

    The mirror of `conv_deep_encoder`: a stage is `blocks` residual blocks, then a transposed
    convolution that doubles the image.

    Args:
        latent_dim: int. D, the size of z.
        event_shape: sequence of ints. [height, width, channels] or [height, width] of one image.
        params_per_element: int. P, the likelihood's `params_per_element`. Defaults to 1.
        filters: int or sequence of ints. Channels of each stage. Defaults to (128, 64, 32).
        blocks: int. Residual blocks in a stage. Defaults to 2.
        activation: str or callable. Defaults to "silu".
        seed: int. Seed of the initial weights. Defaults to None (fresh).
        name: str. Name of the model. Defaults to "decoder".

    Returns:
        `keras.Model`, `[B, latent_dim]` -> `[B, P H W C]`, the planes of parameter 0 first, as
        `vae_tf.layers.ElementwiseLayer` reads them.

    Raises:
        InputError: for an argument that is none of these.
    """
    build = Builder(activation, seed)
    height, width, image_channels = as_image_shape(event_shape)
    planes = as_count("params_per_element", params_per_element) * image_channels
    filters = as_sizes("filters", filters, least=1)
    *larger, (rows, columns) = halvings(height, width, len(filters))
    z = build.inputs([as_count("latent_dim", latent_dim)], "z")
    h = build.dense(rows * columns * filters[0], "dense", linear=True)(z)
    h = keras.layers.Reshape((rows, columns, filters[0]), name="image")(h)
    for i, (size, channels) in enumerate(
        zip(reversed(larger), [*filters[1:], planes], strict=True), start=1
    ):
        h = _blocks(build, h, blocks, f"stage_{i}")
        h = build.activate(h, f"stage_{i}_activation")
        last = i == len(filters)
        h = build.double(h, channels, size, f"stage_{i}", kernel=5 if last else 3, linear=True)
    return keras.Model(z, flat_planes(h, params_per_element), name=name)


def _blocks(build: Builder, h: keras.KerasTensor, blocks: int, name: str) -> keras.KerasTensor:
    for i in range(1, as_count("blocks", blocks, least=0) + 1):
        block = f"{name}_block_{i}"
        residual = build.activate(h, f"{block}_activation")
        residual = build.conv(h.shape[-1], f"{block}_conv_1")(residual)
        residual = build.conv(h.shape[-1], f"{block}_conv_2", linear=True, zeros=True)(residual)
        h = keras.layers.Add(name=f"{block}_add")([h, residual])
    return h
