"""An estimate of log p(x) with its standard errors."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vae_tf.utils.errors import InputError


@dataclass(frozen=True, eq=False)
class LogProbEstimate:
    """log p(x) of each of N examples, in nats, with its errors.

    Attributes:
        method: str. The estimator.
        values: float64 [N]. Nats.
        errors: float64 [N]. Standard error of each value over repetitions of the estimator, by the
            delta method: sd(w) / (√K mean(w)) for the logarithm of a mean of K weights w. NaN where
            K is 1. Where a few weights carry the mean it is too small, as the weights' own variance
            is underestimated.
        samples: int. K, the number of weights an example; 0 for an exact value.
        acceptance_rate: float in [0, 1] or None. Of the Markov chains, where there are any.
    """

    method: str
    values: np.ndarray
    errors: np.ndarray
    samples: int
    acceptance_rate: float | None = None

    @property
    def mean(self) -> float:
        """Mean over the examples, nats."""
        return float(self.values.mean())

    @property
    def monte_carlo_error(self) -> float:
        """Standard error of `mean` for these very examples: how far other draws would move it."""
        return float(np.sqrt(np.square(self.errors).sum()) / len(self.errors))

    @property
    def standard_error(self) -> float:
        """Standard error of `mean` as an estimate for the population the examples come from.

        Raises:
            InputError: for one example.
        """
        if len(self.values) < 2:
            raise InputError(
                "A standard error over examples needs at least 2 of them and there is 1; give more, "
                "or read `monte_carlo_error`."
            )
        return standard_error(self.values)

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values, without those of single examples."""
        return {
            "method": self.method,
            "mean": self.mean,
            "standard_error": self.standard_error if len(self.values) > 1 else None,
            "monte_carlo_error": None if np.isnan(self.errors).any() else self.monte_carlo_error,
            "examples": len(self.values),
            "samples": self.samples,
            "acceptance_rate": self.acceptance_rate,
        }


def standard_error(values: np.ndarray) -> float:
    """Sd / √N of N >= 2 values."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))


def log_mean_exp(log_weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logarithm of the mean of K weights and its standard error, `[K, B]` -> two `[B]`."""
    log_weights = log_weights.astype(np.float64)
    count = len(log_weights)
    return from_log_sums(
        np.logaddexp.reduce(log_weights), np.logaddexp.reduce(2 * log_weights), count
    )


def from_log_sums(
    log_sum: np.ndarray, log_sum_of_squares: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """`log_mean_exp` from log Σ w and log Σ w² of `count` weights, so that it can be streamed."""
    log_mean = log_sum - math.log(count)
    if count == 1:
        return log_mean, np.full_like(log_mean, np.nan)
    # The variance of the mean over its square, unbiased up to the denominator.
    ratio = (count * np.exp(log_sum_of_squares - 2 * log_sum) - 1) / (count - 1)
    return log_mean, np.sqrt(np.maximum(ratio, 0))
