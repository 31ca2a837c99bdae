"""The code length of an example under q(z|x), and its reconstruction."""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from vae_tf.explore.codes import BATCH, as_batch, decoded
from vae_tf.explore.denoise import mean_squared_error, psnr
from vae_tf.models.vae import VAE
from vae_tf.utils.checks import as_count
from vae_tf.utils.seeds import Seed, as_seed, fold_in


class Compressed(NamedTuple):
    """Lossy compression through the latents."""

    x: np.ndarray  # [N, *event], what is left: the mean of p(x|z) at z ~ q(z|x)
    rate: np.ndarray  # [N], nats an example: KL(q(z|x) || p(z))
    raw_bits: int  # bits an example takes as it is
    mse: float  # over all examples and elements, in the data's units squared
    psnr: float  # dB

    @property
    def bits(self) -> np.ndarray:
        """The rate in bits an example, `[N]`."""
        return self.rate / np.log(2)

    @property
    def ratio(self) -> float:
        """Raw bits by the mean bits of a code; infinite where the codes say nothing."""
        mean = float(self.bits.mean())
        return self.raw_bits / mean if mean else float("inf")


def compress(
    vae: VAE, x: Any, bits_per_value: int = 8, peak: float = 1.0, seed: Seed = 0
) -> Compressed:
    """Measures the model as a lossy code: the rate, the size without it, and the error.

    KL(q(z|x) || p(z)) is what a draw of q(z|x) costs a receiver who knows p(z), up to a logarithmic
    term: Havasi et al. (2019), Minimal Random Code Learning, theorem 3.2. It is a rate, not a file:
    no coder is run.

    Args:
        vae: The model.
        x: `[N, *event]`.
        bits_per_value: int. Of one value as it is: 8 for pixels, 1 for binarised ones. Defaults
            to 8.
        peak: float. The largest possible difference of two values, for the PSNR. Defaults to 1.
        seed: int, int tensor of shape [2], or None for fresh draws. Defaults to 0.

    Raises:
        InputError: for another shape, or values that the likelihood has no density for.
    """
    x, seed = as_batch(x, "x"), as_seed(seed)
    raw_bits = prod(vae.event_shape) * as_count("bits_per_value", bits_per_value)
    z, rate = [], []
    for i in range(0, len(x), BATCH):
        batch, batch_seed = x[i : i + BATCH], fold_in(seed, i)
        z.append(vae.encode(batch).sample(seed=batch_seed).numpy())
        rate.append(vae.elbo(batch, seed=batch_seed).kl.numpy())
    out = decoded(vae, np.concatenate(z)).x
    mse = mean_squared_error(out, x)
    return Compressed(out, np.concatenate(rate), raw_bits, mse, psnr(mse, peak))
