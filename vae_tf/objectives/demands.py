"""Checks of a model by the objectives."""

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.elbo import factors
from vae_tf.inference.trace import Trace
from vae_tf.inference.traceable import Traceable
from vae_tf.utils.errors import InputError


def demand_gradient_through_z(model: Traceable) -> None:
    """Looks whether draws of each posterior have a reparameterised gradient.

    An enumerated latent needs none.

    Raises:
        InputError: if those of one have not.
    """
    for latent in _example(model).latents.values():
        q = latent.q
        if q is not None and q.reparameterization_type != tfd.FULLY_REPARAMETERIZED:
            raise InputError(
                f"{_name(q)} cannot be the posterior: its draws have no reparameterised "
                "gradient. Use IndependentNormal or MultivariateNormalTriL."
            )


def demand_factors(model: Traceable) -> None:
    """Looks whether each posterior and prior is independent over the latent dimensions.

    Raises:
        InputError: if one is not.
    """
    for latent in _example(model).latents.values():
        factors(latent.q, "posterior")
        factors(latent.p, "prior")


def demand_one_latent(model: Traceable, objective: str) -> None:
    """Looks whether the model has one latent variable, with one distribution for each example.

    Raises:
        InputError: if it has several.
    """
    names = list(model.nodes)
    if len(names) > 1:
        raise InputError(
            f"{objective} needs a model of one latent variable, and this one has "
            f"{', '.join(names)}; use ELBO or IWAE."
        )


def _example(model: Traceable) -> Trace:
    return model.infer(model.example_batch(1), seed=tf.zeros([2], tf.int32))


def _name(distribution: tfd.Distribution) -> str:
    return type(distribution).__name__
