"""Activation maximisation: the image with the largest value of a latent dimension."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vae_tf.attribution.latent_means import latent_means
from vae_tf.attribution.tools import visualiser
from vae_tf.explore.codes import as_dimensions
from vae_tf.models.vae import VAE
from vae_tf.utils.checks import as_count


def activation_maximization(
    vae: VAE,
    dimensions: Any = None,
    *,
    steps: int = 200,
    learning_rate: float = 0.05,
    smoothness: float = 1.0,
    seed: int = 0,
) -> np.ndarray:
    """For each latent, an input with a large E_q[z_d], by gradient ascent from noise.

    Erhan et al. (2009), Visualizing Higher-Layer Features of a Deep Network, section 3, with a
    penalty on the total variation of images. It is what the encoder likes, which need not look
    like the data.

    Args:
        vae: The model.
        dimensions: ints. Of which latents, counted from 0. Defaults to None: all D.
        steps: int. Of Adam. Defaults to 200.
        learning_rate: float. Of Adam, in the data's units. Defaults to 0.05.
        smoothness: float. Weight of the total variation; of vectors there is none. Defaults to 1.
        seed: int. Of the noise. Defaults to 0.

    Returns:
        `[len(dimensions), *event]` float32, within the support of the likelihood.

    Raises:
        InputError: without tf-keras-vis, for a dimension that is not there, or an encoder that is no
            functional model.
    """
    tools = visualiser("activation_maximization")
    chosen = as_dimensions(vae, dimensions)
    low, high = (None if math.isinf(bound) else bound for bound in vae.likelihood.support)
    start = np.random.default_rng(seed).uniform(
        *((0.4, 0.6) if high is not None else (-0.1, 0.1)), (len(chosen), *vae.event_shape)
    )
    regularizers = []
    if len(vae.event_shape) == 3 and smoothness:
        penalties = visualiser("activation_maximization.regularizers")
        regularizers.append(penalties.TotalVariation2D(smoothness))
    found = tools.ActivationMaximization(latent_means(vae))(
        lambda means: tf.linalg.diag_part(tf.gather(means, chosen, axis=1)),  # row i: latent i
        seed_input=start.astype(np.float32),
        input_range=(low, high),
        # Each step from within the support: the range alone only cuts what comes out at the end.
        input_modifiers=[lambda x: np.clip(x, *vae.likelihood.support)],
        regularizers=regularizers,
        steps=as_count("steps", steps),
        optimizer=keras.optimizers.Adam(learning_rate),
    )
    return np.asarray(found, np.float32)
