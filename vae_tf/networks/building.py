"""The builder of all networks: checks of arguments, layers with seeded initial weights."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from vae_tf.utils.checks import as_count, as_int
from vae_tf.utils.errors import InputError

Sizes = int | Sequence[int]


class Builder:
    """Makes the layers of one network.

    Kernels start as Keras starts them (Glorot's uniform, zero biases). With a seed, each layer
    draws from a seed of its own, derived from the network's and the layer's position: the same
    seed gives the same weights in any process, and no global generator is touched.

    Args:
        activation: str or callable. Activation of the hidden layers, as in Keras.
        seed: int, or None for weights that differ from network to network.

    Raises:
        InputError: for an unknown activation, or a seed that is no int.
    """

    def __init__(self, activation: Any, seed: int | None) -> None:
        try:
            self.activation = keras.activations.get(activation)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"activation is a name of keras.activations, such as 'tanh' or 'relu', or a "
                f"function; got {activation!r}."
            ) from error
        self._seeds = derived_seeds(seed)

    def inputs(self, shape: Sequence[int], name: str) -> keras.KerasTensor:
        """The input `[B, *shape]`, in the dtype that data has under the current policy."""
        return keras.Input(
            tuple(shape), dtype=keras.config.dtype_policy().variable_dtype, name=name
        )

    def activate(self, h: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """The activation alone."""
        return keras.layers.Activation(self.activation, name=name)(h)

    def dense(self, units: int, name: str, linear: bool = False) -> keras.layers.Dense:
        """A dense layer, with the activation unless `linear`."""
        return keras.layers.Dense(units, name=name, **self._shared(linear))

    def conv(
        self, filters: int, name: str, strides: int = 1, linear: bool = False, zeros: bool = False
    ) -> keras.layers.Conv2D:
        """A 3 x 3 convolution: `[B, H, W, C]` -> `[B, ceil(H/strides), ceil(W/strides), filters]`.

        With `zeros` it starts as the function 0.
        """
        shared = self._shared(linear)
        if zeros:
            shared["kernel_initializer"] = "zeros"
        return keras.layers.Conv2D(filters, 3, strides=strides, padding="same", name=name, **shared)

    def transposed(self, filters: int, name: str) -> keras.layers.Conv2DTranspose:
        """A linear 3 x 3 transposed convolution of stride 1: `[B, H, W, C]` -> `[B, H, W, filters]`.

        The same functions as `conv` has; with few filters TensorFlow trains it faster on a CPU.
        """
        return keras.layers.Conv2DTranspose(
            filters, 3, padding="same", name=name, **self._shared(linear=True)
        )

    def double(
        self,
        h: keras.KerasTensor,
        filters: int,
        size: tuple[int, int],
        name: str,
        kernel: int = 3,
        linear: bool = False,
    ) -> keras.KerasTensor:
        """A transposed convolution of stride 2, the way back from `size` halved.

        Args:
            h: `[B, ceil(H/2), ceil(W/2), C]`.
            filters: int. Number of output channels.
            size: pair of ints. H and W.
            name: str. Name of the layer.
            kernel: int. An odd number. Defaults to 3.
            linear: bool. Whether it goes without the activation. Defaults to False.

        Returns:
            `[B, H, W, filters]`.
        """
        layer = keras.layers.Conv2DTranspose(
            filters,
            kernel,
            strides=2,
            padding="same",
            # With an odd kernel, 0 ends at an odd size, 1 at an even one: nothing to crop.
            output_padding=tuple(1 - extent % 2 for extent in size),
            name=name,
            **self._shared(linear),
        )
        return layer(h)

    def _shared(self, linear: bool) -> dict[str, Any]:
        return {
            "activation": None if linear else self.activation,
            "kernel_initializer": keras.initializers.GlorotUniform(seed=next(self._seeds)),
        }


def derived_seeds(seed: int | None) -> Iterator[int | None]:
    """An endless row of seeds that follow from `seed`; of None where that is None.

    Raises:
        InputError: if `seed` is neither an int nor None.
    """
    seed = None if seed is None else as_int("seed", seed)
    # Of Python's generators, `random()` of a seed is promised to be the same in every version.
    stream = None if seed is None else random.Random(f"vae_tf {seed}")
    return _draws(stream)


def as_sizes(name: str, value: Any, least: int) -> tuple[int, ...]:
    """`value`, an int or a sequence of ints, as a tuple of at least `least` positive ints.

    Raises:
        InputError: if it is anything else; the message names it `name`.
    """
    if hasattr(value, "__index__") and not isinstance(value, bool):
        value = (value,)
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) < least:
        raise InputError(
            f"{name} is an int or a sequence of at least {least} ints, a layer each; got {value!r}."
        )
    return tuple(as_count(f"each of {name}", size) for size in value)


def _draws(stream: random.Random | None) -> Iterator[int | None]:
    while True:
        yield None if stream is None else int(stream.random() * 2**31)
