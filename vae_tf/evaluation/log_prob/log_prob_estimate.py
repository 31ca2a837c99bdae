"""An estimate of log p(x) with its standard errors."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vae_tf.evaluation.log_prob.pareto_k import LEAST_DRAWS, UNRELIABLE, pareto_k
from vae_tf.utils.errors import InputError

NOT_MIXED = 1.1
"""R-hat above which chains have not found the same distribution."""


@dataclass(frozen=True, eq=False)
class LogProbEstimate:
    """log p(x) of each of N examples, in nats, with its errors and what says whether they hold.

    Attributes:
        method: str. The estimator.
        values: float64 [N]. Nats.
        errors: float64 [N]. Standard error of each value over repetitions of the estimator, by the
            delta method: sd(w) / (√K mean(w)) for the logarithm of a mean of K weights w. NaN where
            K is 1. It is at most 1 nat whatever the true error: where a few weights carry the mean
            it is too small, and `unreliable` says so.
        samples: int. K, the number of weights an example; 0 for an exact value.
        acceptance_rate: float in [0, 1] or None. Of the Markov chains, where there are any.
        effective_sample_sizes: float64 [N] or None. (Σ w)² / Σ w² of each example, from 1 to K; None
            for an exact value.
        pareto_k: float64 [N] or None. The `pareto_k` of each example's weights; NaN where there is
            none.
        r_hat: float64 [N] or None. Potential scale reduction of log p(x, z) over the chains that an
            estimate from draws of p(z|x) stands on (Gelman and Rubin, 1992).
    """

    method: str
    values: np.ndarray
    errors: np.ndarray
    samples: int
    acceptance_rate: float | None = None
    effective_sample_sizes: np.ndarray | None = None
    pareto_k: np.ndarray | None = None
    r_hat: np.ndarray | None = None

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

    @property
    def unreliable(self) -> np.ndarray | None:
        """Which values may be off by more than their errors say, bool `[N]`.

        Those with a k-hat above 0.7, with an R-hat above 1.1, and, where there is no k-hat, with an
        error above 0.5 nats, at which the delta method breaks down. None for a single weight an
        example: it says nothing of its error.
        """
        if self.samples == 1:
            return None
        marked = np.zeros(len(self.values), bool)
        if self.pareto_k is not None:
            marked |= np.where(
                np.isnan(self.pareto_k), self.errors > 0.5, self.pareto_k > UNRELIABLE
            )
        if self.r_hat is not None:
            marked |= ~(self.r_hat <= NOT_MIXED)
        return marked

    @property
    def reliability(self) -> str:
        """What the weights and the chains say of the errors, in a phrase; "" for an exact value."""
        if self.effective_sample_sizes is None or self.pareto_k is None:
            return ""
        phrases = []
        if self.samples > 1:
            size = np.median(self.effective_sample_sizes)
            phrases.append(f"effective sample size {size:.1f} of {self.samples} (median)")
        known = self.pareto_k[~np.isnan(self.pareto_k)]
        if len(known):
            phrases.append(f"Pareto k-hat up to {known.max():.2f}")
        elif self.samples < LEAST_DRAWS:
            phrases.append(f"no Pareto k-hat below K={LEAST_DRAWS}")
        if self.r_hat is not None:
            phrases.append(f"R-hat up to {self.r_hat.max():.2f}")
        if self.unreliable is not None:
            number = int(self.unreliable.sum())
            phrases.append(
                f"{number} of {len(self.values)} examples unreliable"
                + ("; their errors may be larger than stated" if number else "")
            )
        return ", ".join(phrases)

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values, without those of single examples.

        `effective_sample_size` is the median over the examples, `pareto_k` and `r_hat` are the
        largest, and `unreliable` is a number of examples; None where there is no such figure.
        """
        sizes, marked = self.effective_sample_sizes, self.unreliable
        return {
            "method": self.method,
            "mean": self.mean,
            "standard_error": self.standard_error if len(self.values) > 1 else None,
            "monte_carlo_error": None if np.isnan(self.errors).any() else self.monte_carlo_error,
            "examples": len(self.values),
            "samples": self.samples,
            "acceptance_rate": self.acceptance_rate,
            "effective_sample_size": None if sizes is None else float(np.median(sizes)),
            "pareto_k": _largest(self.pareto_k),
            "r_hat": _largest(self.r_hat),
            "unreliable": None if marked is None else int(marked.sum()),
        }


class WeightStatistics(NamedTuple):
    """What K weights say of the logarithm of their mean, float64 `[B]` each."""

    value: np.ndarray  # log 1/K Σ w, nats
    error: np.ndarray  # its standard error, NaN where K is 1
    effective_sample_size: np.ndarray  # (Σ w)² / Σ w²
    pareto_k: np.ndarray  # NaN where there is none


def _largest(values: np.ndarray | None) -> float | None:
    known = np.array([]) if values is None else values[np.isfinite(values)]
    return float(known.max()) if len(known) else None


def standard_error(values: np.ndarray) -> float:
    """Sd / √N of N >= 2 values."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))


def log_mean_exp(log_weights: np.ndarray) -> WeightStatistics:
    """The logarithm of the mean of K weights, its standard error and diagnostics, of `[K, B]`."""
    log_weights = log_weights.astype(np.float64)
    return from_log_sums(
        np.logaddexp.reduce(log_weights),
        np.logaddexp.reduce(2 * log_weights),
        log_weights,
        len(log_weights),
    )


def from_log_sums(
    log_sum: np.ndarray, log_sum_of_squares: np.ndarray, largest: np.ndarray, count: int
) -> WeightStatistics:
    """`log_mean_exp` from what can be streamed.

    Args:
        log_sum: `[B]`. log Σ w.
        log_sum_of_squares: `[B]`. log Σ w².
        largest: `[M + 1, B]` or more rows. The largest log w; see `pareto_k`.
        count: int. K.
    """
    log_mean = log_sum - math.log(count)
    effective = np.exp(2 * log_sum - log_sum_of_squares)
    if count == 1:
        nothing = np.full_like(log_mean, np.nan)
        return WeightStatistics(log_mean, nothing, effective, nothing)
    # The variance of the mean over its square, unbiased up to the denominator.
    ratio = (count / effective - 1) / (count - 1)
    error = np.sqrt(np.maximum(ratio, 0))
    return WeightStatistics(log_mean, error, effective, pareto_k(largest, count))


def joined(parts: list[WeightStatistics]) -> WeightStatistics:
    """The statistics of several batches, one after the other."""
    return WeightStatistics(*(np.concatenate(part) for part in zip(*parts, strict=True)))
