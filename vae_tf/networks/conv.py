"""Convolutional networks, for images of any size and number of channels."""

from collections.abc import Sequence
from typing import Any

import keras

from vae_tf.layers.base import as_count
from vae_tf.networks.building import Builder, Sizes, as_sizes
from vae_tf.networks.images import as_image_shape, flat_planes, halvings, with_channels


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

    As in keras.io's example of a VAE, whose narrow dense layer before the parameters is
    `hidden=16`; without one, more of the image reaches z.

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
