import keras
import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.priors import Prior


def network(units: int, hidden: int = 0, **inputs: tuple[int, ...]) -> keras.Model:
    """Dense layers from named inputs, with seeded weights; one input goes in without a name."""
    entries = {name: keras.Input(shape, name=name) for name, shape in inputs.items()}
    h = [keras.layers.Flatten()(entry) for entry in entries.values()]
    h = keras.layers.Concatenate()(h) if len(h) > 1 else h[0]
    for seed, (size, activation) in enumerate([(hidden, "tanh")] * bool(hidden) + [(units, None)]):
        initializer = keras.initializers.GlorotUniform(seed=seed + units)
        h = keras.layers.Dense(size, activation, kernel_initializer=initializer)(h)
    return keras.Model(entries if len(entries) > 1 else next(iter(entries.values())), h)


def affine(kernels: dict[str, list], bias) -> keras.Model:
    """Σ input @ kernel + bias."""
    units = len(bias)
    model = network(units, **{name: (len(kernel),) for name, kernel in kernels.items()})
    model.set_weights([np.concatenate(list(kernels.values())), np.asarray(bias)])
    return model


@keras.saving.register_keras_serializable(package="tests")
class Uniform(Prior):
    """p(z) = 1/D for each one-hot z."""

    def distribution(self, encode=None):
        dtype = self.variable_dtype
        return tfd.OneHotCategorical(tf.zeros([self.latent_dim], dtype), dtype=dtype)
