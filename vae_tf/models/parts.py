"""Checks that the parts of a model fit each other."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from vae_tf.layers.base import DistributionLayer
from vae_tf.priors.base import Prior
from vae_tf.utils.errors import InputError


def check_distributions(posterior: Any, likelihood: Any) -> None:
    """Looks at the kinds of the two distribution layers.

    Raises:
        InputError: if one is something else, has no known size, or the posterior is not over vectors.
    """
    for name, layer in {"posterior": posterior, "likelihood": likelihood}.items():
        if not isinstance(layer, DistributionLayer) or layer.params_size is None:
            raise InputError(
                f"{name} is a layer of vae_tf.layers with a known params_size, such as "
                f"IndependentNormal; got {layer!r}."
            )
    if len(posterior.event_shape) != 1:
        raise InputError(
            f"The posterior needs events that are vectors, event_shape=[latent_dim]; got "
            f"{posterior.event_shape}."
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
    latent_dim = posterior.event_shape[0]
    if not isinstance(prior, Prior):
        raise InputError(f"prior is one of vae_tf.priors, or None for N(0, I); got {prior!r}.")
    if prior.latent_dim != latent_dim:
        raise InputError(
            f"The posterior has {latent_dim} latent dimensions and the prior {prior.latent_dim}; "
            "give both the same number."
        )
    params = _outputs(encoder, "encoder", "event", likelihood.event_shape, posterior)
    _outputs(decoder, "decoder", "latent", (latent_dim,), likelihood)
    q_z_given_x = posterior.distribution(params)
    if q_z_given_x.reparameterization_type != tfp.distributions.FULLY_REPARAMETERIZED:
        raise InputError(
            f"{type(posterior).__name__} cannot be the posterior: its draws have no reparameterised "
            "gradient. Use IndependentNormal or MultivariateNormalTriL."
        )


def _outputs(
    network: Any, name: str, what: str, shape: tuple[int, ...], layer: DistributionLayer
) -> tf.Tensor:
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
    return params
