"""This package, as its documentation has a user write it."""

from collections.abc import Callable

import keras
import numpy as np


def trainer(workload: str, x: np.ndarray, batch_size: int, precision: str) -> Callable[[], None]:
    """A function that trains one epoch."""
    keras.config.set_dtype_policy(precision)
    from vae_tf import data, presets

    splits = data.from_arrays(x, x[:batch_size], batch_size=batch_size)
    name, latent_dim, options = {
        "dense": ("mlp", 20, {}),
        "conv": ("conv", 2, {}),
    }[workload]
    vae = presets.create(name, splits.event_shape, latent_dim, likelihood="bernoulli", **options)
    vae.compile(keras.optimizers.Adam())
    return lambda: vae.fit(splits.train, epochs=1, verbose=0)
