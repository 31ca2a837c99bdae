"""Saliency: the gradient of a latent dimension with respect to the pixels."""

from typing import Any

import numpy as np

from vae_tf.attribution.latent_means import latent_means
from vae_tf.attribution.tools import as_images, latent, numpy_seed, scaled, visualiser
from vae_tf.explore.codes import as_dimensions
from vae_tf.models.vae import VAE
from vae_tf.utils.checks import as_count


def saliency(
    vae: VAE,
    x: Any,
    dimensions: Any = None,
    *,
    smooth_samples: int = 0,
    smooth_noise: float = 0.2,
    seed: int = 0,
) -> np.ndarray:
    """|d E_q[z_d] / d x| at each pixel, the largest over the channels.

    Plain: Simonyan et al. (2014), Deep Inside Convolutional Networks, section 3. With
    `smooth_samples`, the mean over inputs with noise, SmoothGrad: Smilkov et al. (2017), SmoothGrad:
    removing noise by adding noise, section 3.

    Args:
        vae: The model.
        x: `[N, H, W, C]`.
        dimensions: ints. Of which latents, counted from 0. Defaults to None: all D.
        smooth_samples: int. Noisy copies of each image; 0 is the plain gradient. Defaults to 0.
        smooth_noise: float. Standard deviation of the noise, as a share of the range of each image.
            Defaults to 0.2.
        seed: int. Of the noise. Defaults to 0.

    Returns:
        `[len(dimensions), N, H, W]` float32, each map divided by its maximum, so that it is 1.

    Raises:
        InputError: without tf-keras-vis, for events that are no images, a dimension that is not
            there, or an encoder that is no functional model.
    """
    tool = visualiser("saliency").Saliency(latent_means(vae))
    x, chosen = as_images(vae, x), as_dimensions(vae, dimensions)
    as_count("smooth_samples", smooth_samples, least=0)
    maps = []
    for dimension in chosen:
        with numpy_seed(seed):
            maps.append(
                tool(
                    latent(dimension),
                    x,
                    smooth_samples=smooth_samples,
                    smooth_noise=smooth_noise,
                    normalize_map=False,
                )
            )
    return scaled(np.stack(maps))
