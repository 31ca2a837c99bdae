"""Dense networks, for data of any shape."""

from collections.abc import Sequence
from typing import Any

import keras

from vae_tf.layers.base import as_shape
from vae_tf.networks.building import Builder, Sizes, as_sizes
from vae_tf.utils.checks import as_count


def mlp_encoder(
    event_shape: int | Sequence[int],
    outputs: int,
    hidden: Sizes = (500,),
    activation: Any = "tanh",
    *,
    seed: int | None = None,
    name: str = "encoder",
) -> keras.Model:
    """Dense layers from x to the parameters of q(z|x).

    The defaults are the network of Kingma and Welling (2014), appendix C.2: one layer of 500 tanh
    units.

    Args:
        event_shape: int or sequence of ints. Shape of one x.
        outputs: int. The posterior's `params_size`.
        hidden: int or sequence of ints. Units of each hidden layer; `()` is a linear encoder.
            Defaults to (500,).
        activation: str or callable. Of the hidden layers. Defaults to "tanh".
        seed: int. Seed of the initial weights. Defaults to None (fresh).
        name: str. Name of the model. Defaults to "encoder".

    Returns:
        `keras.Model`, `[B, *event_shape]` -> `[B, outputs]`.

    Raises:
        InputError: for an argument that is none of these.
    """
    build = Builder(activation, seed)
    x = build.inputs(as_shape(event_shape), "x")
    h = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(x, _dense_layers(build, h, hidden, outputs), name=name)


def mlp_decoder(
    latent_dim: int,
    outputs: int,
    hidden: Sizes = (500,),
    activation: Any = "tanh",
    *,
    seed: int | None = None,
    name: str = "decoder",
) -> keras.Model:
    """Dense layers from z to the parameters of p(x|z).

    The defaults are the network of Kingma and Welling (2014), appendix C.1: one layer of 500 tanh
    units.

    Args:
        latent_dim: int. D, the size of z.
        outputs: int. The likelihood's `params_size`.
        hidden: int or sequence of ints. Units of each hidden layer; `()` is a linear decoder.
            Defaults to (500,).
        activation: str or callable. Of the hidden layers. Defaults to "tanh".
        seed: int. Seed of the initial weights. Defaults to None (fresh).
        name: str. Name of the model. Defaults to "decoder".

    Returns:
        `keras.Model`, `[B, latent_dim]` -> `[B, outputs]`.

    Raises:
        InputError: for an argument that is none of these.
    """
    build = Builder(activation, seed)
    z = build.inputs([as_count("latent_dim", latent_dim)], "z")
    return keras.Model(z, _dense_layers(build, z, hidden, outputs), name=name)


def _dense_layers(
    build: Builder, h: keras.KerasTensor, hidden: Sizes, outputs: int
) -> keras.KerasTensor:
    for i, units in enumerate(as_sizes("hidden", hidden, least=0), start=1):
        h = build.dense(units, name=f"hidden_{i}")(h)
    return build.dense(as_count("outputs", outputs), name="parameters", linear=True)(h)
