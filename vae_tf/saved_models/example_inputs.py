"""Inputs that a model takes, for the warm-up and for the comparison."""

import numpy as np
import tensorflow as tf

from vae_tf.seeds import as_seed
from vae_tf.vae import VAE


def example_inputs(vae: VAE, rows: int) -> dict[str, dict[str, np.ndarray]]:
    """Signature -> input -> `[rows, ...]`: the model's own draws, the same at each call."""
    z = vae.p_z().sample(rows, seed=as_seed(1))
    x = tf.cast(vae.decode(z).sample(seed=as_seed(2)), tf.float32).numpy()
    seed = np.arange(rows, dtype=np.int64)
    z = tf.cast(z, tf.float32).numpy()
    return {
        "encode": {"x": x},
        "decode": {"z": z},
        "sample": {"seed": seed},
        "reconstruct": {"x": x},
        "score": {"x": x, "seed": seed},
        "serving_default": {"x": x},
    }
