"""The signatures of an exported VAE, as concrete functions."""

import contextlib
import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from vae_tf.inference.elbo import Densities, elbo_terms
from vae_tf.inference.importance_weights import importance_weighted_bound, log_importance_weights
from vae_tf.saved_models.exportable import Exportable
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import as_seed, fold_in, two_words

DEFAULT = "serving_default"

Function: TypeAlias = Callable[..., dict[str, tf.Tensor]]
Scope: TypeAlias = Callable[[], AbstractContextManager[Any]]
Signatures: TypeAlias = dict[str, Any]


def signatures(
    vae: Exportable, score_samples: int, scope: Scope = contextlib.nullcontext
) -> Signatures:
    """The concrete functions of the table in `vae_tf.saved_models.export.export`, by name.

    Args:
        vae: The model.
        score_samples: int. K of `score`.
        scope: Entered around the tracing of each; `half_precision` swaps the weights in it.

    Raises:
        InputError: if the posterior has no mean or standard deviation.
    """
    x = tf.TensorSpec([None, *vae.event_shape], tf.float32, "x")
    z = tf.TensorSpec([None, vae.latent_dim], tf.float32, "z")
    seed = tf.TensorSpec([None], tf.int64, "seed")
    functions: dict[str, tuple[Function, dict[str, tf.TensorSpec]]] = {
        "encode": (_encode(vae), {"x": x}),
        "decode": (_decode(vae), {"z": z}),
        "sample": (_sample(vae), {"seed": seed}),
        "reconstruct": (_reconstruct(vae), {"x": x}),
        "score": (_score(vae, score_samples), {"x": x, "seed": seed}),
    }
    traced = {}
    for name, (function, specs) in functions.items():
        traced[name] = _traced(function, scope).get_concrete_function(**specs)
    return {DEFAULT: traced["reconstruct"], **traced}


def example_inputs(vae: Exportable, rows: int) -> dict[str, dict[str, np.ndarray]]:
    """Signature -> input -> `[rows, ...]`: the model's own draws, the same at each call."""
    z = vae.p_z().sample(rows, seed=as_seed(1))
    x = tf.cast(vae.decode(z).sample(seed=as_seed(2)), tf.float32).numpy()
    seed = np.arange(rows, dtype=np.int64)
    z = tf.cast(z, tf.float32).numpy()
    return {
        "encode": {"x": x},
        "decode": {"z": z},
        "sample": {"seed": seed},
        "reconstruct": {"x": x},
        "score": {"x": x, "seed": seed},
        "serving_default": {"x": x},
    }


def _traced(function: Function, scope: Scope) -> Any:
    @tf.function(autograph=False)
    @functools.wraps(function)
    def in_scope(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        with scope():
            return function(*inputs)

    return in_scope


def _encode(vae: Exportable) -> Function:
    def encode(x: tf.Tensor) -> dict[str, tf.Tensor]:
        q_z_given_x = vae.encode(x)
        try:
            moments = {"mean": q_z_given_x.mean(), "stddev": q_z_given_x.stddev()}
        except NotImplementedError as error:
            raise InputError(
                f"The posterior {type(vae.posterior).__name__} has no mean or standard deviation, "
                "which `encode` answers with; export a model with IndependentNormal or "
                "MultivariateNormalTriL."
            ) from error
        return _outputs(**moments)

    return encode


def _decode(vae: Exportable) -> Function:
    def decode(z: tf.Tensor) -> dict[str, tf.Tensor]:
        return _outputs(x=_mean_x(vae, z))

    return decode


def _sample(vae: Exportable) -> Function:
    def sample(seed: tf.Tensor) -> dict[str, tf.Tensor]:
        p_z = vae.p_z()  # outside of the loop: a VampPrior encodes its pseudo-inputs for it
        z = _rows(lambda s: p_z.sample(1, seed=two_words(s))[0], seed, [vae.latent_dim])
        return _outputs(z=z, x=_mean_x(vae, z))

    return sample


def _reconstruct(vae: Exportable) -> Function:
    def reconstruct(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return _outputs(x=vae.reconstruct(x))

    return reconstruct


def _score(vae: Exportable, samples: int) -> Function:
    def score(x: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        p_z = vae.p_z()

        def row(element: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            x_row = element[0][tf.newaxis]
            q_z_given_x = vae.encode(x_row)
            z = q_z_given_x.sample(samples, seed=fold_in(two_words(element[1]), 0))  # [K, 1, D]
            p_x_given_z = vae.decode(z)
            log_p_x_given_z = p_x_given_z.log_prob(tf.cast(x_row, p_x_given_z.dtype))  # [K, 1]
            d = Densities(q_z_given_x, p_z, z, log_p_x_given_z)
            log_prob = importance_weighted_bound(log_importance_weights(d))
            return tf.stack([log_prob[0], elbo_terms(d).elbo[0]])

        rows = _rows(row, (x, seed), [2])
        return _outputs(log_prob=rows[:, 0], elbo=rows[:, 1])

    return score


def _mean_x(vae: Exportable, z: tf.Tensor) -> tf.Tensor:
    return vae.likelihood.point_estimate(vae.decode(z))


def _rows(function: Callable[[Any], tf.Tensor], elements: Any, shape: list[int]) -> tf.Tensor:
    """`function` of each row on its own, float32 `[B, *shape]`."""
    return tf.map_fn(
        lambda element: tf.cast(function(element), tf.float32),
        elements,
        fn_output_signature=tf.TensorSpec(shape, tf.float32),
    )


def _outputs(**outputs: tf.Tensor) -> dict[str, tf.Tensor]:
    return {name: tf.cast(value, tf.float32, name) for name, value in outputs.items()}
