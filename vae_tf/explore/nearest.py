"""The nearest examples of a latent vector."""

from typing import Any, NamedTuple

import numpy as np

from vae_tf.explore.codes import as_batch, as_latents, codes
from vae_tf.models.vae import VAE
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


class Neighbours(NamedTuple):
    """The k nearest examples of each of Q queries, nearest first."""

    indices: np.ndarray  # [Q, k] int64, into the examples searched
    distances: np.ndarray  # [Q, k], Euclidean, in latent space
    x: np.ndarray  # [Q, k, *event]


def nearest(vae: VAE, x_set: Any, k: int = 5, *, x: Any = None, z: Any = None) -> Neighbours:
    """Finds the examples whose codes, means of q(z|x), are nearest to a latent or an example's code.

    Args:
        vae: The model.
        x_set: `[N, *event]`. Where it looks.
        k: int. How many, at most N. Defaults to 5.
        x: `[Q, *event]`. Examples to look for, or
        z: `[Q, D]`. latents to look for, such as those of `vae.sample(..., return_latents=True)`.

    Returns:
        `Neighbours`, see there.

    Raises:
        InputError: for both or neither of `x` and `z`, another shape, or more neighbours than
            examples.
    """
    from sklearn.neighbors import NearestNeighbors  # takes a second to import

    if (x is None) == (z is None):
        raise InputError("nearest takes either examples `x` or latents `z`; give one of them.")
    x_set = as_batch(x_set, "x_set")
    if as_count("k", k) > len(x_set):
        raise InputError(f"k is {k}, but `x_set` has {len(x_set)} examples; ask for no more.")
    query = codes(vae, x) if z is None else np.atleast_2d(as_latents(vae, z, "z"))
    index = NearestNeighbors(n_neighbors=k).fit(codes(vae, x_set))
    distances, indices = index.kneighbors(query)
    return Neighbours(indices, distances, x_set[indices])
