"""Draws that layers make by themselves, such as those of dropout, as functions of values."""

import keras
import tensorflow as tf

from vae_tf.layers.base import DistributionLayer
from vae_tf.utils.seeds import fold_in


def seed_layers(model: keras.Model, seed: tf.Tensor) -> None:
    """Sets the generators of the layers that draw, for one step.

    Keras does not save where a `SeedGenerator` stands, so that a resumed training would draw other
    numbers. Set at each step they stand where the seed says.

    Args:
        model: Its layers may have generators, such as those of `Dropout` and `GaussianNoise`.
        seed: int32 tensor of shape [2]. Another one for each step.
    """
    for index, generator in enumerate(_generators(model)):
        state = generator.state
        state.assign(tf.cast(fold_in(seed, index), state.dtype))


def _generators(model: keras.Model) -> list[keras.random.SeedGenerator]:
    """Each once, in the order of the layers. A model without such layers has none to pay for."""
    found = {}
    for layer in model._flatten_layers():
        if isinstance(layer, DistributionLayer) and not layer.draws_without_seed:
            continue  # every one has a generator, and only calls without a seed use it
        found.update({id(generator): generator for generator in layer._seed_generators})
    return list(found.values())
