"""Projection of codes on two dimensions."""

from typing import Any

import numpy as np

from vae_tf.pictures.checks import as_numbers
from vae_tf.utils.errors import InputError

PROJECTIONS = ("pca", "tsne")
_LEAST = 4  # points; of fewer, t-SNE has no neighbourhoods
_MOST_TSNE = 3000  # points; t-SNE of them takes some ten seconds on two cores


def project(z: Any, method: str = "pca", seed: int = 0) -> tuple[np.ndarray, tuple[str, str]]:
    """The plane of latents that shows most of them, with the names of its axes.

    "pca" is linear: distances in the picture are distances in latent space, as far as the plane
    shows them, and the axes say how much. "tsne" (van der Maaten and Hinton 2008) keeps neighbours
    together; its axes have no unit, and distances between its clusters no meaning. Both are
    scikit-learn's.

    Args:
        z: `[N, D]`, D above 2, N of at least 4. For "tsne" at most 3000.
        method: "pca" or "tsne". Defaults to "pca".
        seed: int. Of scikit-learn's draws. Defaults to 0.

    Returns:
        `[N, 2]` float32, and a name for either axis.

    Raises:
        InputError: for an unknown method, another shape, too few or too many points, values that are
            not finite.
    """
    if method not in PROJECTIONS:
        raise InputError(f"`projection` is {method!r}, expected one of {', '.join(PROJECTIONS)}.")
    z = as_numbers(z, "z")
    if z.ndim != 2 or z.shape[1] < 3 or len(z) < _LEAST or not np.isfinite(z).all():
        raise InputError(
            f"`z` has shape {z.shape}, but a projection needs [N, D] finite numbers, at least "
            f"{_LEAST} points of more than 2 dimensions."
        )
    if method == "pca":
        from sklearn.decomposition import PCA  # takes a second to import

        pca = PCA(2, random_state=seed)
        plane = pca.fit_transform(z)
        one, two = (
            f"{100 * share:.0f} % of the variance" for share in pca.explained_variance_ratio_
        )
        return plane.astype(np.float32), (f"component 1 ({one})", f"component 2 ({two})")
    if len(z) > _MOST_TSNE:
        raise InputError(
            f"`z` has {len(z)} points, but t-SNE of more than {_MOST_TSNE} takes minutes; give "
            f"z[:{_MOST_TSNE}], or choose projection='pca'."
        )
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(z) - 1) / 3)
    plane = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(z)
    return plane, ("t-SNE 1 (no unit)", "t-SNE 2 (no unit)")
