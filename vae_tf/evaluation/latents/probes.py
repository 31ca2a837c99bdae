"""Accuracy of classifiers of the codes."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vae_tf.data.checks import check_fraction, check_labels
from vae_tf.evaluation.sklearn_inputs import as_random_state, as_vectors, stratified_split
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError

_ITERATIONS = 2000


@dataclasses.dataclass(frozen=True)
class Probes:
    """Held-out accuracies of simple classifiers of codes.

    Attributes:
        linear: float in [0, 1]. Of logistic regression.
        neighbours: float in [0, 1]. Of the k nearest neighbours.
        most_frequent: float in [0, 1]. Of always naming the most frequent class: the floor.
        k: int. Number of neighbours.
        classes: int. Number of classes.
        train_examples: int. Examples the classifiers were trained on.
        test_examples: int. Examples of the accuracies.
    """

    linear: float
    neighbours: float
    most_frequent: float
    k: int
    classes: int
    train_examples: int
    test_examples: int


def probes(
    codes: Any,
    labels: Any,
    test_codes: Any = None,
    test_labels: Any = None,
    *,
    k: int = 5,
    test_fraction: float = 0.2,
    seed: int | None = 0,
) -> Probes:
    """Accuracy of a linear probe and of k nearest neighbours on codes.

    Codes are posterior means, `vae.encode(x).mean()`, standardised by the training codes' means and
    deviations. The linear probe is multinomial logistic regression with scikit-learn's L2 penalty
    (C = 1). The probes say how much of the classes the codes hold in a simple form, not how good the
    model of p(x) is.

    Args:
        codes: `[N, D]`.
        labels: `[N]`, whole numbers from 0.
        test_codes: `[M, D]` to measure on, or None to hold out `test_fraction` of `codes`.
        test_labels: `[M]`, given with `test_codes`.
        k: int. Neighbours, each with one vote. Defaults to 5.
        test_fraction: float in (0, 1). Defaults to 0.2.
        seed: int or None. Of the split. Defaults to 0.

    Returns:
        `Probes`.

    Raises:
        InputError: for empty codes, a single example or class, labels of another length, test codes of
            another size, fewer training examples than k.
    """
    k = as_count("k", k)
    x = as_vectors(codes, "codes")
    y = check_labels(labels, len(x), "labels")
    if (test_codes is None) != (test_labels is None):
        raise InputError("test_codes and test_labels belong together; give both or neither.")
    if test_codes is None:
        x, x_test, y, y_test = stratified_split(
            x, y, "labels", check_fraction(test_fraction), as_random_state(seed)
        )
    else:
        x_test = as_vectors(test_codes, "test_codes", least=1)
        y_test = check_labels(test_labels, len(x_test), "test_labels")
        if x_test.shape[1] != x.shape[1]:
            raise InputError(
                f"test_codes has {x_test.shape[1]} dimensions and codes {x.shape[1]}; give codes of "
                "one model."
            )
        if len(np.unique(y)) < 2:
            raise InputError(f"labels has the one class {y[0]}, expected at least two classes.")
    if len(x) < k:
        raise InputError(
            f"k={k} neighbours were asked for, but there are {len(x)} training examples; give more "
            "examples or a smaller k."
        )
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=_ITERATIONS))
    nearest = make_pipeline(StandardScaler(), KNeighborsClassifier(k))
    return Probes(
        linear=float(linear.fit(x, y).score(x_test, y_test)),
        neighbours=float(nearest.fit(x, y).score(x_test, y_test)),
        most_frequent=float((y_test == np.bincount(y).argmax()).mean()),
        k=k,
        classes=len(np.unique(y)),
        train_examples=len(x),
        test_examples=len(x_test),
    )
