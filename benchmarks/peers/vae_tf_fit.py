"""This package, as its documentation has a user write it."""

from collections.abc import Callable

import keras
import numpy as np


def trainer(workload: str, x: np.ndarray, batch_size: int, precision: str) -> Callable[[], None]:
    """A function that trains one epoch."""
    keras.config.set_dtype_policy(precision)
    from vae_tf import data, presets

    splits = data.from_arrays(x, x[:batch_size], batch_size=batch_size)
    if workload == "dense":
        vae = presets.mlp(splits.event_shape, latent_dim=20)
    else:  # the layers of the example, which are not quite the preset's own
        vae = presets.conv(splits.event_shape, latent_dim=2, hidden=16, full_size=True)
    vae.compile(keras.optimizers.Adam())
    return lambda: vae.fit(splits.train, epochs=1, verbose=0)
