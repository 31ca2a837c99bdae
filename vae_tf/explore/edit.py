"""Movement of an example along an attribute's direction."""

from typing import Any

import numpy as np

from vae_tf.explore.codes import Decoded, as_latents, as_values, codes, decoded
from vae_tf.models.vae import VAE
from vae_tf.utils.errors import InputError

STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)


def edit(vae: VAE, x: Any, direction: Any, strengths: Any = STRENGTHS) -> Decoded:
    """Decodes the codes of examples, moved along a direction: z + strength · direction.

    Args:
        vae: The model.
        x: `[N, *event]`.
        direction: `[D]`, such as `attribute_direction` gives.
        strengths: `[S]`. How far; 0 is the reconstruction. Defaults to -2 ... 2.

    Returns:
        `Decoded(x [N, S, *event], z [N, S, D])`.

    Raises:
        InputError: for another shape, or strengths that are no numbers.
    """
    direction = as_latents(vae, direction, "direction")
    if direction.ndim != 1:
        raise InputError(
            f"`direction` has shape {direction.shape}, expected ({vae.latent_dim},); give one "
            "direction at a time."
        )
    strengths = as_values(strengths, "strengths")
    return decoded(vae, codes(vae, x)[:, None] + np.multiply.outer(strengths, direction))
