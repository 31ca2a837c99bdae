"""The mutual information gap."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.metrics import mutual_info_score

from vae_tf.evaluation.disentanglement.inputs import as_codes_and_factors, gaps
from vae_tf.utils.checks import as_count


@dataclasses.dataclass(frozen=True)
class MIG:
    """The mutual information gap.

    Attributes:
        score: float in [0, 1]. The mean over the factors.
        factors: tuple of float. The gap of each factor.
        bins: int. Bins each code was cut into.
    """

    score: float
    factors: tuple[float, ...]
    bins: int


def mig(codes: Any, factors: Any, bins: int = 20) -> MIG:
    """Mutual information gap: Chen et al. (2018), "Isolating Sources of Disentanglement", equation 6.

        MIG = 1/F Σ_j 1/H(v_j) [I(z_i*; v_j) - max_{i ≠ i*} I(z_i; v_j)],   i* = argmax_i I(z_i; v_j)

    1 if each factor is known from one code and no other tells anything about it; 0 if no code tells
    more than the next. I is estimated, as Locatello et al. (2019) do, from posterior means in bins of
    equal width; its upward bias, about bins × values / 2N nats, is the same for each code. An outlier
    among the codes widens all bins of its dimension.

    Args:
        codes: `[N, D]`, D at least 2. Posterior means.
        factors: `[N, F]`, whole numbers.
        bins: int. For each code. Defaults to 20.

    Returns:
        `MIG`.

    Raises:
        InputError: see `as_codes_and_factors`; or for fewer than two bins.
    """
    bins = as_count("bins", bins, least=2)
    z, v = as_codes_and_factors(codes, factors)
    binned = [np.digitize(code, np.histogram_bin_edges(code, bins)[1:-1]) for code in z.T]
    information = np.array([[mutual_info_score(f, b) for f in v.T] for b in binned])  # [D, F], nats
    entropy = np.array([mutual_info_score(f, f) for f in v.T])
    per_factor = gaps(information / entropy)
    return MIG(float(np.mean(per_factor)), per_factor, bins)
