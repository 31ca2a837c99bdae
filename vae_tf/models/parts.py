"""Checks that the parts of a model fit each other."""

from typing import Any

import keras
import tensorflow as tf

from vae_tf.layers.base import DistributionLayer
from vae_tf.priors.base import Prior
from vae_tf.utils.errors import InputError


def check_distributions(posterior: Any, likelihood: Any) -> None:
    """Looks at the kinds of the two distribution layers.

    Raises:
        InputError: if one is something else, or has no known size.
    """
    for name, layer in {"posterior": posterior, "likelihood": likelihood}.items():
        if not isinstance(layer, DistributionLayer) or layer.params_size is None:
            raise InputError(
                f"{name} is a layer of vae_tf.layers with a known params_size, such as "
                f"IndependentNormal; got {layer!r}."
            )


def check_parts(
    encoder: Any,
    posterior: DistributionLayer,
    decoder: Any,
    likelihood: DistributionLayer,
    prior: Any,
) -> None:
    """Runs one event of zeros through the parts, which builds them, and compares their sizes.

    Raises:
        InputError: if a part is of the wrong kind, or two do not fit each other.
    """
    if not isinstance(prior, Prior):
        raise InputError(f"prior is one of vae_tf.priors, or None for N(0, I); got {prior!r}.")
    if prior.latent_shape != posterior.event_shape:
        raise InputError(
            f"The posterior has {_size(posterior.event_shape)} and the prior "
            f"{_size(prior.latent_shape, '')}; give both the same number."
        )
    _outputs(encoder, "encoder", "event", likelihood.event_shape, posterior)
    _outputs(decoder, "decoder", "latent", posterior.event_shape, likelihood)


def _size(shape: tuple[int, ...], what: str = " latent dimensions") -> str:
    return f"{shape[0]}{what}" if len(shape) == 1 else f"latents of shape {shape}"


def _outputs(
    network: Any, name: str, what: str, shape: tuple[int, ...], layer: DistributionLayer
) -> None:
    if not isinstance(network, keras.layers.Layer):
        raise InputError(f"{name} is a keras.Model or layer; got {network!r}.")
    expected = getattr(network, "input_shape", None) if network.built else None
    if isinstance(expected, tuple) and not tf.TensorShape(expected[1:]).is_compatible_with(shape):
        raise InputError(
            f"The {name} takes inputs of shape {tuple(expected[1:])}, but one {what} has shape {shape} "
            f"({'likelihood' if what == 'event' else 'posterior'}.event_shape); make them equal."
        )
    params = network(tf.zeros([1, *shape], network.variable_dtype))
    if params.shape.rank != 2 or params.shape[-1] != layer.params_size:
        raise InputError(
            f"The {name} gives outputs of shape {tuple(params.shape[1:])}, but "
            f"{type(layer).__name__}(event_shape={layer.event_shape}) needs ({layer.params_size},): "
            f"end it with a layer of {layer.params_size} units, or with Flatten if only the shape "
            "differs."
        )
