"""Precision, recall, density and coverage of generated examples."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from vae_tf.evaluation.batching import Progress
from vae_tf.evaluation.sklearn_inputs import as_random_state, as_vectors
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError

FEATURES = ("pixels", "pca")


@dataclasses.dataclass(frozen=True)
class SampleQuality:
    """How generated examples lie among real ones. Figures compare only at equal settings.

    Attributes:
        precision: float in [0, 1]. Share of generated examples within the real manifold.
        recall: float in [0, 1]. Share of real examples within the generated manifold.
        density: float, at least 0. Real neighbourhoods a generated example lies in, over k: near 1
            for equal distributions; above 1 where generated examples crowd where real ones are dense.
        coverage: float in [0, 1]. Share of real examples with a generated one in their neighbourhood.
        neighbours: int. k.
        real: int. Number of real examples.
        generated: int. Number of generated examples.
        features: str. The space that distances are taken in.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    neighbours: int
    real: int
    generated: int
    features: str


def sample_quality(
    real: Any,
    generated: Any,
    neighbours: int = 5,
    *,
    features: str = "pixels",
    components: int = 50,
    reference: Any = None,
    seed: int | None = 0,
    progress: Progress | None = None,
) -> SampleQuality:
    """Precision, recall, density and coverage of `generated` against `real`.

    The neighbourhood of an example is the closed ball around it up to its k-th nearest neighbour of
    its own set; a manifold is the union of the neighbourhoods of a set. Precision and recall:
    Kynkäänniemi et al. (2019), "Improved Precision and Recall Metric for Assessing Generative
    Models"; density and coverage: Naeem et al. (2020), "Reliable Fidelity and Diversity Metrics for
    Generative Models".

    The figures depend on the feature space, on k and on both numbers of examples; for equal
    distributions and equal numbers, coverage is expected at 1 - 2^-k for large sets (0.97 for k=5).
    `features="pixels"` hides nothing. A PCA is faster for large images, but blind to whatever lies
    outside its components, such as pixel noise. For the features of a network, give them as `[N, D]`
    instead of examples.

    Give draws of the same kind on both sides: means of p(x|z) are grey where binarised data are not,
    and then `vae.decode(z).sample()` is what compares.

    Args:
        real: `[N, *event]`, in the best case not what the model was trained on.
        generated: `[M, *event]`. M = N is usual.
        neighbours: int. k. Defaults to 5.
        features: "pixels", Euclidean distance of the values as they are, or "pca".
        components: int. Of the PCA. Defaults to 50, or as many as there can be.
        reference: `[R, *event]` that the PCA is fitted on, such as training data. Defaults to `real`.
        seed: int or None. Of the PCA's solver. Defaults to 0.
        progress: Called with "sample quality", real examples done, and N.

    Returns:
        `SampleQuality`.

    Raises:
        InputError: for an empty set, sets of k examples or fewer, different shapes, an unknown
            feature space.
    """
    if features not in FEATURES:
        raise InputError(f"features is one of {', '.join(FEATURES)}; got {features!r}.")
    neighbours, components = as_count("neighbours", neighbours), as_count("components", components)
    x = as_vectors(real, "real", neighbours + 1)
    y = as_vectors(generated, "generated", neighbours + 1)
    fitted = x if reference is None else as_vectors(reference, "reference")
    for name, other in {"generated": y, "reference": fitted}.items():
        if other.shape[1] != x.shape[1]:
            raise InputError(
                f"{name} has {other.shape[1]} values an example and real {x.shape[1]}; give both the "
                "same shape."
            )
    described = f"pixels ({x.shape[1]} values)"
    if features == "pca":
        count = min(components, *fitted.shape)
        pca = PCA(count, random_state=as_random_state(seed)).fit(fitted)
        described = (
            f"PCA ({count} components of {x.shape[1]} values, "
            f"{100 * pca.explained_variance_ratio_.sum():.1f} % of the variance, fitted on "
            f"{'the real' if reference is None else f'{len(fitted)} reference'} examples)"
        )
        x, y = pca.transform(x), pca.transform(y)
    precision, recall, density, coverage = _prdc(x, y, neighbours, progress)
    return SampleQuality(
        precision, recall, density, coverage, neighbours, len(x), len(y), described
    )


def _prdc(
    real: np.ndarray,
    generated: np.ndarray,
    k: int,
    progress: Progress | None,
) -> tuple[float, float, float, float]:
    real_radii, generated_radii = _radii(real, k), _radii(generated, k)
    balls = np.zeros(len(generated), np.int64)  # real neighbourhoods each generated example is in
    recalled = covered = done = 0
    # Rows of the distance matrix in turn: all of it would be N x M.
    for distances in pairwise_distances_chunked(real, generated):
        within = distances <= real_radii[done : done + len(distances), None]
        balls += within.sum(axis=0)
        covered += int(within.any(axis=1).sum())
        recalled += int((distances <= generated_radii).any(axis=1).sum())
        done += len(distances)
        if progress is not None:
            progress("sample quality", done, len(real))
    return (
        float((balls > 0).mean()),
        recalled / len(real),
        float(balls.mean() / k),
        covered / len(real),
    )


def _radii(x: np.ndarray, k: int) -> np.ndarray:
    """Distance of each row to its k-th nearest other row, in the precision of the distances."""
    distances, _ = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x).kneighbors()
    return distances[:, -1].astype(x.dtype)
