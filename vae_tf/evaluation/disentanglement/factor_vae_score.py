"""The FactorVAE score."""

import dataclasses
from typing import Any

import numpy as np

from vae_tf.evaluation.disentanglement.inputs import as_codes_and_factors
from vae_tf.evaluation.sklearn_inputs import as_random_state
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


@dataclasses.dataclass(frozen=True)
class FactorVAEScore:
    """The FactorVAE score.

    Attributes:
        score: float in [0, 1]. Accuracy of the majority vote on votes of its own: the published figure.
        chance: float. What a code that is independent of the factors reaches, 1 / F.
        adjusted: float, at most 1. (score - chance) / (1 - chance): 0 for an independent code.
        votes: int. Votes to learn from, and as many again to test on.
        group: int. Examples drawn for a vote.
    """

    score: float
    chance: float
    adjusted: float
    votes: int
    group: int


def factor_vae_score(
    codes: Any, factors: Any, votes: int = 800, group: int = 64, *, seed: int | None = 0
) -> FactorVAEScore:
    """Kim and Mnih (2018), "Disentangling by Factorising", section 4.

    A vote: examples are drawn that share the value of one factor, chosen at random; the code that
    varies least among them, relative to its variance over all examples, votes for that factor. The
    majority vote of each code is its factor; the score is how often that is right for other votes.

    Examples are drawn, with replacement, from those given, where the paper generates them: each value
    of a factor should come with many values of the others. Codes that never change do not vote.

    Args:
        codes: `[N, D]`, D at least 2. Posterior means.
        factors: `[N, F]`, F at least 2, whole numbers.
        votes: int. Defaults to 800, the paper's.
        group: int. Examples of a vote. Defaults to 64.
        seed: int or None. Of the draws. Defaults to 0.

    Returns:
        `FactorVAEScore`.

    Raises:
        InputError: see `as_codes_and_factors`; or if no code changes, no value of a factor has two
            examples, `votes` is below 1 or `group` below 2.
    """
    votes, group = as_count("votes", votes), as_count("group", group, least=2)
    z, v = as_codes_and_factors(codes, factors, least_factors=2)
    deviations = z.std(axis=0)
    active = deviations > 1e-6 * deviations.max()
    if not active.any():
        raise InputError("codes are the same for all examples; there is nothing to score.")
    z = z[:, active] / deviations[active]
    shared = [_sharing(column, j) for j, column in enumerate(v.T)]
    rng = np.random.default_rng(as_random_state(seed))
    learnt = _tally(z, shared, votes, group, rng)  # [D, F]
    tested = _tally(z, shared, votes, group, rng)
    majority = learnt.argmax(axis=1)
    score = float(tested[np.arange(len(tested)), majority].sum() / votes)
    chance = 1 / v.shape[1]
    return FactorVAEScore(score, chance, (score - chance) / (1 - chance), votes, group)


def _sharing(factor: np.ndarray, number: int) -> list[np.ndarray]:
    """The rows of each value of a factor that has at least two."""
    rows = [np.flatnonzero(factor == value) for value in np.unique(factor)]
    shared = [group for group in rows if len(group) > 1]
    if not shared:
        raise InputError(
            f"factor {number} (counted from 0) has another value in each example; give examples that "
            "share values."
        )
    return shared


def _tally(
    z: np.ndarray,
    shared: list[list[np.ndarray]],
    votes: int,
    group: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Votes of each code for each factor, `[D, F]`."""
    tally = np.zeros((z.shape[1], len(shared)), np.int64)
    for factor in rng.integers(len(shared), size=votes):
        rows = shared[factor][rng.integers(len(shared[factor]))]
        tally[z[rng.choice(rows, group)].var(axis=0).argmin(), factor] += 1
    return tally
