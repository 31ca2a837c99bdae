"""Reconstruction of noisy examples."""

from typing import Any, NamedTuple

import numpy as np

from vae_tf.explore.codes import as_batch, codes, decoded
from vae_tf.models.vae import VAE
from vae_tf.utils.errors import InputError


class Denoised(NamedTuple):
    """What came out, and how much closer to the clean examples it is than what went in.

    PSNR = 10 log10(peak² / MSE), in dB, of the MSE over all examples and elements.
    """

    x: np.ndarray  # [N, *event]
    mse_before: float | None  # squared units of the data; None where no clean examples were given
    mse_after: float | None
    psnr_before: float | None  # dB
    psnr_after: float | None

    @property
    def gain(self) -> float | None:
        """PSNR after less PSNR before, in dB: above 0, the model helps."""
        if self.psnr_before is None or self.psnr_after is None:
            return None
        return self.psnr_after - self.psnr_before


def denoise(vae: VAE, noisy: Any, clean: Any = None, peak: float = 1.0) -> Denoised:
    """Reconstructs noisy examples: a model of clean data has few codes for noise.

    Args:
        vae: A model trained on clean data.
        noisy: `[N, *event]`, within the support of the likelihood: clip to [0, 1] for a Bernoulli.
        clean: `[N, *event]`. The same examples without the noise, to measure against. Defaults to
            None.
        peak: float. The largest possible difference of two values, for the PSNR. Defaults to 1.

    Raises:
        InputError: for another shape, or values that the likelihood has no density for.
    """
    noisy = as_batch(noisy, "noisy")
    x = decoded(vae, codes(vae, noisy)).x
    if clean is None:
        return Denoised(x, None, None, None, None)
    clean = np.asarray(clean)
    if clean.shape != noisy.shape:
        raise InputError(
            f"`clean` has shape {clean.shape} and `noisy` {noisy.shape}; give two arrays of one shape."
        )
    before, after = mean_squared_error(noisy, clean), mean_squared_error(x, clean)
    return Denoised(x, before, after, psnr(before, peak), psnr(after, peak))


def mean_squared_error(x: np.ndarray, y: np.ndarray) -> float:
    """The mean over all examples and elements of (x - y)², in the data's units squared."""
    return float(np.mean(np.square(x.astype(np.float64) - y.astype(np.float64))))


def psnr(mse: float, peak: float = 1.0) -> float:
    """Peak signal-to-noise ratio, 10 log10(peak² / MSE) in dB; infinite without an error.

    Raises:
        InputError: if `peak` is not above 0.
    """
    if not peak > 0:
        raise InputError(f"peak is {peak!r}, expected a number above 0, such as 1 for images.")
    return float(10 * np.log10(peak**2 / mse)) if mse else float("inf")
