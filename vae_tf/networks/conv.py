"""Convolutional networks, for images of any size and number of channels."""

from collections.abc import Sequence
from typing import Any

import keras

from vae_tf.networks.building import Builder, Sizes, as_sizes
from vae_tf.networks.images import as_image_shape, flat_planes, halvings, with_channels
from vae_tf.utils.checks import as_count


def conv_encoder(
    event_shape: Sequence[int],
    outputs: int,
    filters: Sizes = (32, 64),
    hidden: Sizes = (),
    activation: Any = "relu",
    *,
    seed: int | None = None,
    name: str = "encoder",
) -> keras.Model:
    """3 x 3 convolutions of stride 2 from an image to the parameters of q(z|x).

    As keras.io's example of a VAE, but for a narrow dense layer, `hidden=16`: through that, little
    of the image reaches more than the two latent dimensions that the example has.

    Args:
        event_shape: sequence of ints. [height, width, channels] or [height, width] of one image.
        outputs: int. The posterior's `params_size`.
        filters: int or sequence of ints. Channels of each convolution; each halves the image,
            rounding up. Defaults to (32, 64).
        hidden: int or sequence of ints. Units of dense layers after them. Defaults to () (none).
        activation: str or callable. Of the hidden layers. Defaults to "relu".
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
        h = build.conv(channels, f"conv_{i}", strides=2)(h)
    h = keras.layers.Flatten(name="flatten")(h)
    for i, units in enumerate(as_sizes("hidden", hidden, least=0), start=1):
        h = build.dense(units, f"hidden_{i}")(h)
    parameters = build.dense(as_count("outputs", outputs), "parameters", linear=True)(h)
    return keras.Model(x, parameters, name=name)


def conv_decoder(
    latent_dim: int,
    event_shape: Sequence[int],
    params_per_element: int = 1,
    filters: Sizes = (64, 32),
    full_size: bool = False,
    activation: Any = "relu",
    *,
    seed: int | None = None,
    name: str = "decoder",
) -> keras.Model:
    """Transposed convolutions of stride 2 from z to the parameters of p(x|z), an image.

    A dense layer gives the smallest image, and each transposed convolution doubles it. keras.io's
    example of a VAE, which is `full_size=True`, doubles up to feature maps of the image's size and
    ends with one more 3 x 3 convolution. By default the last doubling, 5 x 5, goes straight to the
    parameters instead: on MNIST about 1 nat worse after equal epochs, but two to three times faster
    on a CPU, and so better after equal time.

    Args:
        latent_dim: int. D, the size of z.
        event_shape: sequence of ints. [height, width, channels] or [height, width] of one image.
        params_per_element: int. P, the likelihood's `params_per_element`. Defaults to 1.
        filters: int or sequence of ints. Channels after each doubling, the first also before it;
            the last counts with `full_size` only. Defaults to (64, 32).
        full_size: bool. Whether there are feature maps of the image's size, with `filters[-1]`
            channels. Defaults to False.
        activation: str or callable. Of the hidden layers. Defaults to "relu".
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
    full, *halves, (rows, columns) = halvings(height, width, len(filters))
    z = build.inputs([as_count("latent_dim", latent_dim)], "z")
    h = build.dense(rows * columns * filters[0], "dense")(z)
    h = keras.layers.Reshape((rows, columns, filters[0]), name="image")(h)
    for i, (size, channels) in enumerate(zip(reversed(halves), filters[:-1], strict=True), start=1):
        h = build.double(h, channels, size, f"conv_{i}")
    if full_size:
        h = build.double(h, filters[-1], full, "full_size")
        h = build.transposed(planes, "outputs")(h)
    else:
        h = build.double(h, planes, full, "outputs", kernel=5, linear=True)
    return keras.Model(z, flat_planes(h, params_per_element), name=name)
