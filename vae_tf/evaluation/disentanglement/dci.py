"""Disentanglement, completeness and informativeness."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score

from vae_tf.evaluation.disentanglement.inputs import as_codes_and_factors
from vae_tf.evaluation.sklearn_inputs import as_random_state, stratified_split
from vae_tf.utils.checks import as_count


@dataclasses.dataclass(frozen=True)
class DCI:
    """Disentanglement, completeness and informativeness.

    Attributes:
        disentanglement: float in [0, 1]. Does each code stand for one factor only?
        completeness: float in [0, 1]. Is each factor in one code only?
        informativeness: float in [0, 1]. Are the factors in the codes at all? Held-out balanced
            accuracy, 0 for guessing.
        trees: int. Of each forest.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    trees: int


def dci(codes: Any, factors: Any, trees: int = 50, *, seed: int | None = 0) -> DCI:
    """Disentanglement, completeness and informativeness, from the importance of codes for factors.

    Eastwood and Williams (2018), "A Framework for the Quantitative Evaluation of Disentangled
    Representations", section 2. A random forest predicts each factor from all codes; R_ij is the
    importance of code i for factor j (mean decrease in impurity), P_ij = R_ij / Σ_j R_ij and
    Q_ij = R_ij / Σ_i R_ij:

        disentanglement = Σ_i ρ_i [1 - H_F(P_i.)],   ρ_i = Σ_j R_ij / Σ_ij R_ij
        completeness    = 1/F Σ_j [1 - H_D(Q_.j)]

    with entropies to base F and D. All three are 1 for a perfect code and near 0 for one that is
    independent of the factors. Forests of classifiers, since factors are whole numbers, trained on one
    half and tested on the other; the paper reports informativeness as an error.

    Args:
        codes: `[N, D]`, D at least 2. Posterior means.
        factors: `[N, F]`, F at least 2, whole numbers.
        trees: int. Of each forest. Defaults to 50.
        seed: int or None. Of the splits and forests. Defaults to 0.

    Returns:
        `DCI`.

    Raises:
        InputError: see `as_codes_and_factors`; or for a value of a factor with a single example, or no
            trees.
    """
    trees = as_count("trees", trees)
    z, v = as_codes_and_factors(codes, factors, least_factors=2)
    random_state = as_random_state(seed)
    columns, accuracies = [], []
    for j, factor in enumerate(v.T):
        train, test, y_train, y_test = stratified_split(z, factor, f"factor {j}", 0.5, random_state)
        # All codes at each node: with a random subset, nodes without the right code split on others,
        # which then seem to matter.
        forest = RandomForestClassifier(trees, max_features=None, random_state=random_state)
        predicted = forest.fit(train, y_train).predict(test)
        columns.append(forest.feature_importances_)
        accuracies.append(max(0.0, balanced_accuracy_score(y_test, predicted, adjusted=True)))
    importance = np.stack(columns, axis=1)  # [D, F]
    total = importance.sum()
    weights = importance.sum(axis=1) / (total or 1)  # codes that say nothing split no tree
    return DCI(
        disentanglement=float(weights @ _concentration(importance)),
        completeness=float(_concentration(importance.T).mean()),
        informativeness=float(np.mean(accuracies)),
        trees=trees,
    )


def _concentration(rows: np.ndarray) -> np.ndarray:
    """1 - entropy of each row as a distribution, to the base of its length; 0 for a row of zeros."""
    totals = rows.sum(axis=1, keepdims=True)
    p = np.divide(rows, totals, out=np.full_like(rows, 1 / rows.shape[1]), where=totals > 0)
    entropy = -np.sum(p * np.log(p, out=np.zeros_like(p), where=p > 0), axis=1)
    return 1 - entropy / np.log(rows.shape[1])
