"""Grad-CAM of a latent dimension at the encoder's last convolution."""

from typing import Any

import keras
import numpy as np

from vae_tf.attribution.latent_means import latent_means
from vae_tf.attribution.tools import as_images, latent, scaled, visualiser
from vae_tf.explore.codes import as_dimensions
from vae_tf.models.vae import VAE
from vae_tf.utils.errors import InputError

_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


def grad_cam(vae: VAE, x: Any, dimensions: Any = None, *, layer: str | None = None) -> np.ndarray:
    """Grad-CAM++ of each latent: the parts of an image that raise E_q[z_d].

    Chattopadhay et al. (2018), Grad-CAM++: Improved Visual Explanations for Deep Convolutional
    Networks, equations 5 and 10, with exp(E_q[z_d]) for the score of a class.

    Args:
        vae: The model.
        x: `[N, H, W, C]`.
        dimensions: ints. Of which latents, counted from 0. Defaults to None: all D.
        layer: str. Name of the convolution. Defaults to the encoder's last.

    Returns:
        `[len(dimensions), N, H, W]` float32, each map divided by its maximum; a map is zero where
        nothing raises the latent.

    Raises:
        InputError: without tf-keras-vis, for an encoder without a convolution, events that are no
            images, or a dimension that is not there.
    """
    tools = visualiser("gradcam_plus_plus")
    x, chosen = as_images(vae, x), as_dimensions(vae, dimensions)
    model = latent_means(vae)
    found = {one.name: one for one in model.layers if isinstance(one, _CONVOLUTIONS)}
    if not found:
        raise InputError(
            "Grad-CAM needs a convolution, and the encoder has none; use `saliency`, or a model "
            "with one, such as the preset 'conv'."
        )
    if layer is not None and layer not in found:
        raise InputError(
            f"The encoder has no convolution named {layer!r}; choose one of {', '.join(found)}."
        )
    penultimate = found[layer] if layer else list(found.values())[-1]
    tool = tools.GradcamPlusPlus(model)
    maps = [
        tool(latent(dimension), x, penultimate_layer=penultimate, normalize_cam=False)
        for dimension in chosen
    ]
    return scaled(np.stack(maps))
