"""The classifier two-sample test."""

import dataclasses
import math
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vae_tf.evaluation.sklearn_inputs import as_random_state, as_vectors, stratified_split
from vae_tf.utils.errors import InputError

CLASSIFIERS = ("network", "neighbours")


@dataclasses.dataclass(frozen=True)
class TwoSampleTest:
    """Can a classifier tell generated from real?

    Attributes:
        accuracy: float in [0, 1]. Held-out accuracy: 0.5 where it cannot.
        p_value: float in [0, 1]. Probability of an accuracy at least as high for equal distributions.
        classifier: str. What was trained.
        train_examples: int. Examples it was trained on, half of them real.
        test_examples: int. Examples of the accuracy, half of them real.
    """

    accuracy: float
    p_value: float
    classifier: str
    train_examples: int
    test_examples: int


def two_sample_test(
    real: Any, generated: Any, classifier: str = "network", *, seed: int | None = 0
) -> TwoSampleTest:
    """Trains a classifier on half of the examples and tests it on the others.

    For equal distributions the accuracy t over n held-out examples is about N(1/2, 1/(4n)), so that
    p = 1 - Φ((t - 1/2) 2 √n): Lopez-Paz and Oquab (2017), "Revisiting Classifier Two-Sample Tests",
    theorem 1. A high p-value says that this classifier found no difference in so many examples, not
    that there is none. Of the larger set a random part is left out.

    Give draws of the same kind on both sides: means of p(x|z) are grey where binarised data are not,
    which any classifier sees.

    Args:
        real: `[N, *event]`, not what the model was trained on.
        generated: `[M, *event]`.
        classifier: "network", 20 hidden units trained for 100 epochs, or "neighbours", the √n nearest
            ones: the paper's two. Both on standardised values. Defaults to "network".
        seed: int or None. Of the choice, the split and the training. Defaults to 0.

    Returns:
        `TwoSampleTest`.

    Raises:
        InputError: for sets with fewer than two examples, different shapes, an unknown classifier.
    """
    if classifier not in CLASSIFIERS:
        raise InputError(f"classifier is one of {', '.join(CLASSIFIERS)}; got {classifier!r}.")
    x, y = as_vectors(real, "real"), as_vectors(generated, "generated")
    if x.shape[1] != y.shape[1]:
        raise InputError(
            f"generated has {y.shape[1]} values an example and real {x.shape[1]}; give both the same "
            "shape."
        )
    random_state = as_random_state(seed)
    rng = np.random.default_rng(random_state)
    size = min(len(x), len(y))
    both = np.concatenate([rng.permutation(x)[:size], rng.permutation(y)[:size]])
    is_real = np.repeat([1, 0], size)
    x_train, x_test, y_train, y_test = stratified_split(both, is_real, "real", 0.5, random_state)
    if classifier == "network":
        model = MLPClassifier((20,), max_iter=100, random_state=random_state)
        described = "network of 20 hidden units, 100 epochs"
    else:
        nearest = math.isqrt(len(x_train))
        model = KNeighborsClassifier(nearest)
        described = f"{nearest} nearest neighbours"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 100 epochs are the paper's
        fitted = make_pipeline(StandardScaler(), model).fit(x_train, y_train)
    accuracy = float(fitted.score(x_test, y_test))
    # 1 - Φ by its own function: the difference would round to 0 at eight standard deviations.
    p_value = math.erfc((accuracy - 0.5) * math.sqrt(2 * len(x_test))) / 2
    return TwoSampleTest(accuracy, p_value, described, len(x_train), len(x_test))
