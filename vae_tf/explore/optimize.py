"""Bayesian optimisation of a user's score in latent space."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf.explore.codes import decoded
from vae_tf.explore.expected_improvement import expected_improvement
from vae_tf.models.vae import VAE
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed, fold_in

Score = Callable[[np.ndarray], Any]

_CANDIDATES = 1000  # from the prior at each step, and as many around the best so far
_NEIGHBOURHOODS = (0.03, 0.1, 0.3)  # standard deviations of the steps from the best so far


class Optimum(NamedTuple):
    """The best of all that was tried, and all that was tried, in its order."""

    x: np.ndarray  # [*event], the mean of p(x|z) at the best z
    z: np.ndarray  # [D]
    score: float  # of x
    latents: np.ndarray  # [N, D]
    scores: np.ndarray  # [N]


def optimize(
    vae: VAE, score: Score, steps: int = 30, initial: int = 10, seed: Seed = None
) -> Optimum:
    """Looks for the z whose x a score likes best, with few calls of the score.

    Bayesian optimisation: Gómez-Bombarelli et al. (2018), Automatic Chemical Design, for its use in
    the latent space of a VAE. First `initial` draws from the prior are scored. Each step then fits
    a Gaussian process to all scores, and scores the candidate of the largest expected improvement
    (see `expected_improvement`). Candidates are draws from the prior, where the decoder was
    trained, and small steps from the best so far.

    Args:
        vae: The model.
        score: Function of x `[B, *event]` (NumPy), means of p(x|z), that gives `[B]` numbers; it is
            made large. It need not be differentiable. Called once with B = `initial`, then
            `steps` times with B = 1.
        steps: int. Defaults to 30.
        initial: int. At least 2. Defaults to 10.
        seed: int, int tensor of shape [2], or None for fresh draws.

    Returns:
        `Optimum`, see there; N = `initial` + `steps`.

    Raises:
        InputError: for a score that does not give one finite number an example, or counts below
            their least values.
    """
    steps, initial = as_count("steps", steps), as_count("initial", initial, least=2)
    seed = as_seed(seed)
    p_z = vae.p_z()
    z = p_z.sample(initial, seed=fold_in(seed, 0)).numpy()
    scores = _scored(vae, score, z)
    for step in range(1, steps + 1):
        candidates = _candidates(p_z, z[scores.argmax()], fold_in(seed, step))
        gain = expected_improvement(z, scores, candidates)
        chosen = candidates[None, int(np.argmax(gain))]
        z = np.concatenate([z, chosen])
        scores = np.concatenate([scores, _scored(vae, score, chosen)])
    best = int(scores.argmax())
    x = decoded(vae, z[best][None]).x[0]
    return Optimum(x, z[best], float(scores[best]), z, scores)


def _candidates(p_z: Any, best: np.ndarray, seed: tf.Tensor) -> np.ndarray:
    everywhere = p_z.sample(_CANDIDATES, seed=fold_in(seed, 0)).numpy()
    steps = tf.random.stateless_normal([_CANDIDATES, len(best)], fold_in(seed, 1)).numpy()
    sizes = np.resize(np.array(_NEIGHBOURHOODS, np.float32), _CANDIDATES)[:, None]
    return np.concatenate([everywhere, best + sizes * steps])


def _scored(vae: VAE, score: Score, z: np.ndarray) -> np.ndarray:
    values = np.asarray(score(decoded(vae, z).x))
    if values.shape != (len(z),) or values.dtype.kind not in "fiub":
        raise InputError(
            f"The score gave shape {values.shape} and dtype {values.dtype} for {len(z)} examples, "
            f"expected ({len(z)},) numbers; give one number an example."
        )
    if not np.isfinite(values).all():
        raise InputError("The score gave NaN or infinity; give a finite number for every example.")
    return values.astype(np.float64)
