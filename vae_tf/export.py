"""A trained VAE as a SavedModel that needs nothing of this package."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from vae_tf.atomic import replacing
from vae_tf.errors import InputError
from vae_tf.objectives.importance_weights import importance_weighted_bound, log_importance_weights
from vae_tf.objectives.objective import check_samples
from vae_tf.objectives.terms import Densities, elbo_terms
from vae_tf.seeds import fold_in, two_words
from vae_tf.vae import VAE

_DEFAULT = "serving_default"


def export(vae: VAE, path: str | os.PathLike[str], score_samples: int = 100) -> Path:
    """Writes the SavedModel of `vae`, for TensorFlow Serving or `tf.saved_model.load`.

    | signature | inputs | outputs |
    |---|---|---|
    | `encode` | `x` [B, *event] | `mean` [B, D], `stddev` [B, D] of q(z|x) |
    | `decode` | `z` [B, D] | `x` [B, *event], the mean of p(x|z) |
    | `sample` | `seed` int64 [B] | `z` [B, D] ~ p(z), `x` [B, *event] |
    | `reconstruct` | `x` | `x` at the posterior mean |
    | `score` | `x`, `seed` int64 [B] | `log_prob` [B], `elbo` [B], nats |
    | `serving_default` | = `reconstruct` | |

    All numbers but the seeds are float32, whatever precision the model trains in. Every signature
    is row-wise: row i of an output depends on row i of the inputs alone. Randomness comes from the
    seeds alone: row i of `sample` is `vae.sample(1, seed=seed[i])`, and row i of `log_prob` is
    `vae.log_prob(x[i:i+1], score_samples, seed=seed[i])`, up to rounding.

    Args:
        vae: The model.
        path: The folder to make, such as "models/digits/1". It appears whole or not at all.
        score_samples: int. K, importance samples an example of `score`. Defaults to 100.

    Returns:
        `path`.

    Raises:
        InputError: if `path` exists, or the posterior has no mean or standard deviation.
        OSError: if it cannot be written.
    """
    path = Path(path)
    check_samples(score_samples)
    if os.path.lexists(path):
        raise InputError(f"{path} exists already; export to a new path, such as the next version.")
    signatures = _signatures(vae, score_samples)
    module = tf.Module()
    # Only the weights that the signatures read, and nothing of Keras.
    used = [weight for function in signatures.values() for weight in function.variables]
    module.weights = list({id(weight): weight for weight in used}.values())
    with replacing(path) as written:
        try:
            tf.saved_model.save(module, str(written), signatures=signatures)
        except tf.errors.OpError as error:
            # TensorFlow has exceptions of its own for a full disk and the like.
            raise OSError(None, error.message) from error
    return path


def _signatures(vae: VAE, score_samples: int) -> dict[str, Any]:
    x = tf.TensorSpec([None, *vae.event_shape], tf.float32, "x")
    z = tf.TensorSpec([None, vae.latent_dim], tf.float32, "z")
    seed = tf.TensorSpec([None], tf.int64, "seed")
    signatures = {
        "encode": _encode(vae).get_concrete_function(x=x),
        "decode": _decode(vae).get_concrete_function(z=z),
        "sample": _sample(vae).get_concrete_function(seed=seed),
        "reconstruct": _reconstruct(vae).get_concrete_function(x=x),
        "score": _score(vae, score_samples).get_concrete_function(x=x, seed=seed),
    }
    return {_DEFAULT: signatures["reconstruct"], **signatures}


def _encode(vae: VAE) -> Any:
    @tf.function(autograph=False)
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


def _decode(vae: VAE) -> Any:
    @tf.function(autograph=False)
    def decode(z: tf.Tensor) -> dict[str, tf.Tensor]:
        return _outputs(x=_mean_x(vae, z))

    return decode


def _sample(vae: VAE) -> Any:
    @tf.function(autograph=False)
    def sample(seed: tf.Tensor) -> dict[str, tf.Tensor]:
        p_z = vae.p_z()  # outside of the loop: a VampPrior encodes its pseudo-inputs for it
        z = _rows(lambda s: p_z.sample(1, seed=two_words(s))[0], seed, [vae.latent_dim])
        return _outputs(z=z, x=_mean_x(vae, z))

    return sample


def _reconstruct(vae: VAE) -> Any:
    @tf.function(autograph=False)
    def reconstruct(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return _outputs(x=vae.reconstruct(x))

    return reconstruct


def _score(vae: VAE, samples: int) -> Any:
    @tf.function(autograph=False)
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


def _mean_x(vae: VAE, z: tf.Tensor) -> tf.Tensor:
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
