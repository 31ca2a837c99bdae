"""A VAE small enough for tests, and data for it."""

import keras
import numpy as np

from vae_tf import VAE
from vae_tf.layers import IndependentBernoulli, IndependentNormal

EVENT_SHAPE = (4, 4, 1)


def binary_images(n: int = 200, seed: int = 0) -> np.ndarray:
    """`[n, 4, 4, 1]` of 0 and 1 with something to learn: whole rows are on or off."""
    rows = np.random.default_rng(seed).integers(0, 2, size=(n, 4, 1, 1))
    return np.repeat(rows, 4, axis=2).astype("float32")


def small_vae(latent_dim: int = 3, seed: int = 1, **arguments) -> VAE:
    """A VAE for `binary_images`; `arguments` replace its parts."""
    initial = iter(range(seed, seed + 10))

    def dense(units: int, activation: str | None = None) -> keras.layers.Layer:
        initializer = keras.initializers.GlorotUniform(seed=next(initial))
        return keras.layers.Dense(units, activation, kernel_initializer=initializer)

    parts = {
        "encoder": lambda: keras.Sequential(
            [
                keras.Input(EVENT_SHAPE),
                keras.layers.Flatten(),
                dense(16, "tanh"),
                dense(2 * latent_dim),
            ]
        ),
        "posterior": lambda: IndependentNormal([latent_dim]),
        "decoder": lambda: keras.Sequential(
            [keras.Input((latent_dim,)), dense(16, "tanh"), dense(16)]
        ),
        "likelihood": lambda: IndependentBernoulli(EVENT_SHAPE),
    }
    built = {name: make() for name, make in parts.items() if name not in arguments}
    return VAE(seed=seed, **built, **arguments)
