"""A Gaussian process over scores, and the expected improvement of new points."""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

_DRAWS = 500  # of the process' three parameters: enough, and no gradient search that may fail


def expected_improvement(z: np.ndarray, scores: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """E max(f(z') - best, 0) at each candidate z', f a Gaussian process given the scores.

    Jones et al. (1998), Efficient Global Optimization of Expensive Black-Box Functions, equation 15.
    The process has a Matérn 5/2 kernel. Its amplitude, length scale and noise are the most probable,
    given the scores, of a fixed set of draws from log-normal priors, that of the length scale
    growing with √D (Hvarfner et al. 2024, Vanilla Bayesian Optimization Performs Great in High
    Dimensions).

    Args:
        z: `[N, D]`, points that have a score.
        scores: `[N]`.
        candidates: `[M, D]`.

    Returns:
        `[M]`, in standard deviations of the scores.
    """
    standardised = (scores - scores.mean()) / (scores.std() or 1.0)
    arguments = (np.asarray(values, np.float64) for values in (z, standardised, candidates))
    return _improvement(*arguments).numpy()


_POINTS, _VALUES = tf.TensorSpec([None, None], tf.float64), tf.TensorSpec([None], tf.float64)


# One graph for any number of points, because each step of an optimisation adds one.
@tf.function(input_signature=(_POINTS, _VALUES, _POINTS))
def _improvement(z: tf.Tensor, scores: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    kernel, noise = _fitted(z, scores)
    process = tfd.GaussianProcessRegressionModel(
        kernel,
        index_points=candidates,
        observation_index_points=z,
        observations=scores,
        observation_noise_variance=noise,
        predictive_noise_variance=tf.zeros([], tf.float64),
    )
    acquisition = tfp.experimental.bayesopt.acquisition
    return acquisition.GaussianProcessExpectedImprovement(process, scores, exploration=0.0)()


def _fitted(z: tf.Tensor, scores: tf.Tensor) -> tuple[Any, tf.Tensor]:
    """The kernel and the noise's variance."""
    size = tf.cast(tf.shape(z)[1], tf.float64)
    medians = tf.stack([tf.ones_like(size), tf.sqrt(size), tf.constant(1e-3, tf.float64)])
    prior = tfd.MultivariateNormalDiag(tf.math.log(medians), tf.ones_like(medians))  # of logarithms
    draws = prior.sample(_DRAWS, seed=(0, 0))
    processes = tfd.GaussianProcess(
        _kernel(draws), z, observation_noise_variance=tf.exp(draws[:, 2])
    )
    best = draws[tf.argmax(processes.log_prob(scores) + prior.log_prob(draws))]
    return _kernel(best), tf.exp(best[2])


def _kernel(logarithms: tf.Tensor) -> Any:
    return tfp.math.psd_kernels.MaternFiveHalves(
        tf.exp(logarithms[..., 0]), tf.exp(logarithms[..., 1])
    )
