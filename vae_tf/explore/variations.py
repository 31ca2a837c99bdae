"""Decoded draws of q(z|x) of one example."""

from typing import Any

import numpy as np

from vae_tf.explore.codes import Decoded, as_example, decoded
from vae_tf.models.vae import VAE
from vae_tf.utils.checks import as_count
from vae_tf.utils.seeds import Seed, as_seed


def variations(vae: VAE, x: Any, n: int = 10, seed: Seed = None) -> Decoded:
    """Decodes draws z ~ q(z|x): the same input gives another code each time.

    Args:
        vae: The model.
        x: `[*event]`. The input.
        n: int. Draws. Defaults to 10.
        seed: int, int tensor of shape [2], or None for fresh draws.

    Returns:
        `Decoded(x [n, *event], z [n, D])`.

    Raises:
        InputError: for another shape, or n below 1.
    """
    q_z_given_x = vae.encode(as_example(vae, x, "x"))
    z = q_z_given_x.sample(as_count("samples", n), seed=as_seed(seed))  # [n, 1, D]
    return decoded(vae, np.asarray(z)[:, 0])
