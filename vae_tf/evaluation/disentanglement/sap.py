"""The separated attribute predictability score."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.tree import DecisionTreeClassifier

from vae_tf.evaluation.disentanglement.inputs import as_codes_and_factors, gaps
from vae_tf.evaluation.sklearn_inputs import as_random_state, stratified_split
from vae_tf.utils.errors import InputError


@dataclasses.dataclass(frozen=True)
class SAP:
    """The separated attribute predictability score.

    Attributes:
        score: float in [0, 1]. The mean over the factors.
        factors: tuple of float. The gap of each factor.
        categorical: tuple of int. Columns that were taken as categories.
    """

    score: float
    factors: tuple[float, ...]
    categorical: tuple[int, ...]


def sap(codes: Any, factors: Any, categorical: Sequence[int] = (), *, seed: int | None = 0) -> SAP:
    """Separated attribute predictability.

    Kumar et al. (2018), "Variational Inference of Disentangled Latent Concepts from Unlabeled
    Observations", section 3: how well each single code predicts each factor; the score is the mean
    over the factors of the gap between the best code and the second best. For a factor whose values
    are quantities (size, position, angle) that is the R² of a line, for a category the held-out
    balanced accuracy of thresholds on the code. The accuracy is rescaled here so that guessing is 0,
    which the paper leaves at 1 / values: the gap of a categorical factor is larger than the paper's
    by values / (values - 1).

    Args:
        codes: `[N, D]`, D at least 2. Posterior means.
        factors: `[N, F]`, whole numbers.
        categorical: Columns of `factors` whose values have no order. Defaults to none.
        seed: int or None. Of the split for categories, half and half. Defaults to 0.

    Returns:
        `SAP`.

    Raises:
        InputError: see `as_codes_and_factors`; or for a column that is not there, or a category with a
            single example.
    """
    z, v = as_codes_and_factors(codes, factors)
    unknown = sorted(set(categorical) - set(range(v.shape[1])))
    if unknown:
        raise InputError(
            f"categorical names column {unknown[0]}, but factors has the columns 0 to "
            f"{v.shape[1] - 1}."
        )
    random_state = as_random_state(seed)
    scores = np.zeros((z.shape[1], v.shape[1]))  # [D, F]
    for j, factor in enumerate(v.T):
        if j in categorical:
            scores[:, j] = _accuracies(z, factor, f"factor {j}", random_state)
        else:
            scores[:, j] = _r_squared(z, factor)
    per_factor = gaps(scores)
    return SAP(float(np.mean(per_factor)), per_factor, tuple(sorted(set(categorical))))


def _r_squared(z: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Squared correlation of each code with a factor, 0 for a code that never changes."""
    z, factor = z - z.mean(axis=0), factor - factor.mean()
    norms = (z**2).sum(axis=0) * (factor**2).sum()
    return np.divide((factor @ z) ** 2, norms, out=np.zeros(len(norms)), where=norms > 0)


def _accuracies(z: np.ndarray, factor: np.ndarray, what: str, random_state: int) -> list[float]:
    """Balanced accuracy from each code alone, 0 for guessing (or worse) and 1 for no error."""
    train, test, y_train, y_test = stratified_split(z, factor, what, 0.5, random_state)
    scores = []
    for i in range(z.shape[1]):
        # Thresholds on one code are a tree; as many leaves as values, each value at one place.
        tree = DecisionTreeClassifier(
            max_leaf_nodes=len(np.unique(factor)),
            class_weight="balanced",
            random_state=random_state,
        )
        predicted = tree.fit(train[:, [i]], y_train).predict(test[:, [i]])
        scores.append(max(0.0, balanced_accuracy_score(y_test, predicted, adjusted=True)))
    return scores
