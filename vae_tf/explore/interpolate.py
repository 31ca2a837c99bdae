"""Interpolation between two examples in latent space."""

from typing import Any

import numpy as np

from vae_tf.explore.codes import Decoded, as_example, codes, decoded
from vae_tf.models.vae import VAE
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError

METHODS = ("linear", "spherical")
_PARALLEL = 1e-6  # sine of the angle below which the arc is the line


def interpolate(vae: VAE, x_a: Any, x_b: Any, steps: int = 10, method: str = "linear") -> Decoded:
    """Decodes points on the way from the code of one example to that of another.

    With t = 0 ... 1 in equal steps, "linear" is (1 - t) z_a + t z_b, and "spherical" the arc of
    White (2016), Sampling Generative Networks, section 2.1:

        z(t) = sin((1 - t) Ω) / sin Ω · z_a + sin(t Ω) / sin Ω · z_b,   Ω the angle of z_a and z_b

    Under N(0, I) in many dimensions draws have norms near √D; the middle of a line is shorter
    than they are, the middle of the arc is not.

    Args:
        vae: The model.
        x_a: `[*event]`. Where it starts.
        x_b: `[*event]`. Where it ends.
        steps: int. Points, both ends among them. At least 2. Defaults to 10.
        method: "linear" or "spherical". Defaults to "linear".

    Returns:
        `Decoded(x [steps, *event], z [steps, D])`.

    Raises:
        InputError: for another shape, fewer than 2 steps, an unknown method, or codes that no
            single arc joins (a zero, or one opposite to the other).
    """
    steps = as_count("steps", steps, least=2)
    if method not in METHODS:
        raise InputError(f"method is one of {', '.join(METHODS)}; got {method!r}.")
    pair = np.concatenate([as_example(vae, x_a, "x_a"), as_example(vae, x_b, "x_b")])
    z_a, z_b = codes(vae, pair).astype(np.float64)
    t = np.linspace(0.0, 1.0, steps)[:, None]
    z = (1 - t) * z_a + t * z_b if method == "linear" else _arc(z_a, z_b, t)
    return decoded(vae, z)


def _arc(z_a: np.ndarray, z_b: np.ndarray, t: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(z_a) * np.linalg.norm(z_b)
    cosine = float(np.clip(z_a @ z_b / norms, -1, 1)) if norms else -1.0
    angle = np.arccos(cosine)
    if np.sin(angle) < _PARALLEL:
        if cosine < 0:
            raise InputError(
                "The two codes are opposite, or one is zero, so that no single arc joins them; use "
                "method='linear'."
            )
        return (1 - t) * z_a + t * z_b
    return (np.sin((1 - t) * angle) * z_a + np.sin(t * angle) * z_b) / np.sin(angle)
