"""log p(x) and p(z|x) where a model has them in closed form."""

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.evaluation.batching import as_examples
from vae_tf.evaluation.log_prob.log_prob_estimate import LogProbEstimate
from vae_tf.layers import HomoscedasticNormal
from vae_tf.models.vae import VAE
from vae_tf.priors import StandardNormal
from vae_tf.utils.errors import InputError

# Layers that are affine maps, whatever is between them. `Dense` is one if it has no activation.
_SHAPING = (
    keras.layers.InputLayer,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Identity,
)


class _LinearGaussian(NamedTuple):
    """x = W z + b + σ ε, in float64."""

    weights: np.ndarray  # [X, D]
    bias: np.ndarray  # [X]
    variance: float  # σ²

    @property
    def precision(self) -> np.ndarray:
        """M = Wᵀ W + σ² I, `[D, D]`; p(z|x) has the covariance σ² M⁻¹."""
        return self.weights.T @ self.weights + self.variance * np.eye(self.weights.shape[1])


def exact_log_prob(vae: VAE, x: Any) -> LogProbEstimate:
    """Log p(x) of each example, exactly, for a linear-Gaussian model.

    With p(z) = N(0, I) and p(x|z) = N(W z + b, σ² I), p(x) = N(b, W Wᵀ + σ² I) (Tipping and Bishop
    1999, Probabilistic Principal Component Analysis, equation 3), whatever the encoder is.

    Args:
        vae: A model with a decoder of linear `Dense` layers, a `HomoscedasticNormal` likelihood and
            a `StandardNormal` prior.
        x: `[N, *event]`, or a dataset; see `as_examples`.

    Returns:
        `LogProbEstimate` with errors of 0.

    Raises:
        InputError: for another model, no examples, or wrong ones.
    """
    model = _linear_gaussian(vae)
    centred, projected = _projected(vae, x, model)
    size, latent_dim = model.weights.shape
    # The determinant lemma and the Woodbury identity: D x D matrices instead of X x X.
    log_det = np.linalg.slogdet(model.precision)[1] + (size - latent_dim) * np.log(model.variance)
    explained = (projected * np.linalg.solve(model.precision, projected.T).T).sum(axis=1)
    distance = (np.square(centred).sum(axis=1) - explained) / model.variance
    values = -0.5 * (size * np.log(2 * np.pi) + log_det + distance)
    return LogProbEstimate("exact", values, np.zeros_like(values), samples=0)


def exact_posterior(vae: VAE, x: Any) -> tfd.MultivariateNormalTriL:
    """p(z|x) = N(M⁻¹ Wᵀ (x - b), σ² M⁻¹): Tipping and Bishop (1999), equation 7.

    Args:
        vae: As of `exact_log_prob`.
        x: `[N, *event]`, or a dataset; see `as_examples`.

    Returns:
        Batch shape [N], event shape [D], float64.

    Raises:
        InputError: for another model, no examples, or wrong ones.
    """
    model = _linear_gaussian(vae)
    _, projected = _projected(vae, x, model)
    loc = np.linalg.solve(model.precision, projected.T).T
    covariance = model.variance * np.linalg.inv(model.precision)
    return tfd.MultivariateNormalTriL(loc, np.linalg.cholesky(covariance))


def _projected(vae: VAE, x: Any, model: _LinearGaussian) -> tuple[np.ndarray, np.ndarray]:
    """X - b `[N, X]` and its product with W `[N, D]`."""
    rows = as_examples(vae, x).x.astype(np.float64)
    centred = rows.reshape(len(rows), -1) - model.bias
    return centred, centred @ model.weights


def _linear_gaussian(vae: Any) -> _LinearGaussian:
    if not isinstance(vae, VAE):
        raise InputError(
            f"An exact log p(x) needs a VAE, and the model is a {type(vae).__name__}; use "
            "importance_weighted_bound."
        )
    if not isinstance(vae.prior, StandardNormal):
        raise InputError(
            f"An exact log p(x) needs a StandardNormal prior, and the model has "
            f"{type(vae.prior).__name__}; use importance_weighted_bound."
        )
    if not isinstance(vae.likelihood, HomoscedasticNormal):
        raise InputError(
            f"An exact log p(x) needs a HomoscedasticNormal likelihood, and the model has "
            f"{type(vae.likelihood).__name__}; use importance_weighted_bound."
        )
    for layer in _operations(vae.decoder):
        linear = isinstance(layer, keras.layers.Dense) and (
            layer.activation is keras.activations.linear
        )
        if not linear and not isinstance(layer, _SHAPING):
            raise InputError(
                f"An exact log p(x) needs a decoder of Dense layers without activation, and this "
                f"one has {layer.name!r} ({type(layer).__name__}); use importance_weighted_bound."
            )
    # An affine map is known from its values at 0 and at the unit vectors.
    z = np.vstack([np.zeros(vae.latent_dim), np.eye(vae.latent_dim)])
    normal = vae.decode(tf.constant(z, vae.variable_dtype))
    loc = normal.mean().numpy().astype(np.float64).reshape(len(z), -1)
    scale = float(tf.reduce_mean(normal.stddev()))
    return _LinearGaussian((loc[1:] - loc[0]).T, loc[0], scale**2)


def _operations(layer: Any) -> list[Any]:
    """`layer` taken apart into what does the work."""
    parts = getattr(layer, "operations", None) or getattr(layer, "layers", None)
    return [layer] if parts is None else [op for part in parts for op in _operations(part)]
