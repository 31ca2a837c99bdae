"""The Pareto k-hat of importance weights: whether their mean can be believed."""

import math

import numpy as np

UNRELIABLE = 0.7
"""Above it no practical number of draws gives the mean: Vehtari et al. (2024)."""

LEAST_DRAWS = 21
"""Draws from which the tail has the 5 weights that a fit takes."""

_LEAST_TAIL = 5
_PRIOR_DRAWS, _PRIOR_K = 10, 0.5  # of k, for short tails, as in Vehtari et al. (2024)
# Weights that differ by less than this factor, in nats, have no tail to speak of.
_CONSTANT = 1e-3
# Further apart than this, in nats, weights underflow beside the largest in float64.
_UNDERFLOW = 600.0


def tail_size(samples: int) -> int:
    """M, the number of largest weights of K that the tail is fitted to.

    M = min(0.2 K, 3 √K), rounded up: Vehtari et al. (2024), Pareto Smoothed Importance Sampling.
    """
    return math.ceil(min(0.2 * samples, 3 * math.sqrt(samples)))


def pareto_k(largest: np.ndarray, samples: int) -> np.ndarray:
    """The shape k of a generalised Pareto distribution fitted to the largest weights.

    Weights have finite moments up to the order 1/k. The error of their mean falls as that of a
    finite variance does for k < 0.5, more slowly up to 0.7, and the estimate of the error itself is
    of no use above.

    Args:
        largest: `[M + 1, B]` or more rows. The largest log weights of each example, in any order, M
            being `tail_size(samples)`.
        samples: int. K.

    Returns:
        float64 `[B]`. NaN where there is no k: of fewer than 21 draws, or of weights that are all
        equal. Infinity where fewer than 5 weights count at all.
    """
    size = tail_size(samples)
    ordered = np.sort(largest.astype(np.float64), axis=0)[-size - 1 :]
    if size < _LEAST_TAIL:
        return np.full(ordered.shape[1], np.nan)
    return np.array([_of_example(column) for column in ordered.T])


def _of_example(log_weights: np.ndarray) -> float:
    """K-hat of M + 1 log weights in ascending order, of which the first is the threshold."""
    threshold, tail = log_weights[0], log_weights[1:]
    spread = tail[-1] - threshold
    if not spread > _CONSTANT:
        return math.nan
    if _UNDERFLOW < spread < math.inf:
        # Hill's estimator is what the fit tends to for a heavy tail, and needs logarithms alone.
        return float(np.mean(tail - threshold))
    excess = np.exp(tail - tail[-1]) - np.exp(threshold - tail[-1])
    excess = excess[excess > 0]  # ties with the threshold are no part of the tail
    if len(excess) < _LEAST_TAIL:
        return math.inf if spread > 1 else math.nan  # a few weights alone, or hardly any tail
    return _generalised_pareto_k(excess)


def _generalised_pareto_k(excess: np.ndarray) -> float:
    """The shape by the empirical Bayes estimator of Zhang and Stephens (2009).

    A New and Efficient Estimation Method for the Generalized Pareto Distribution. The shape is drawn
    to 0.5 with the weight of 10 draws, as in Vehtari et al. (2024).

    Args:
        excess: `[M]`, above 0, ascending.
    """
    count = len(excess)
    grid = 30 + int(math.sqrt(count))
    quartile = excess[int(count / 4 + 0.5) - 1]
    theta = 1 / excess[-1] + (1 - np.sqrt(grid / (np.arange(grid) + 0.5))) / (3 * quartile)
    shapes = np.log1p(-theta[:, np.newaxis] * excess).mean(axis=1)
    log_likelihood = count * (np.log(-theta / shapes) - shapes - 1)
    weights = np.exp(log_likelihood - log_likelihood.max())
    mean = np.sum(theta * weights) / weights.sum()
    shape = np.log1p(-mean * excess).mean()
    return float((count * shape + _PRIOR_DRAWS * _PRIOR_K) / (count + _PRIOR_DRAWS))
