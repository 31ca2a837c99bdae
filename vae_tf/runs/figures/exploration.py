"""Operations in the latent space of a run, written as a picture or as numbers."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from vae_tf import explore, pictures
from vae_tf.data import Data, head
from vae_tf.explore.edit import STRENGTHS
from vae_tf.models.vae import VAE
from vae_tf.runs.figures.illustrate import described
from vae_tf.runs.figures.samples import checked_path, write_picture
from vae_tf.runs.run import Run
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError

Target: TypeAlias = str | os.PathLike[str]

_SEARCHED = 2000  # test examples


def draw_interpolations(
    run: Run,
    path: Target,
    pairs: int = 5,
    steps: int = 10,
    method: str = "linear",
    between: tuple[int, int] | None = None,
) -> Path:
    """Writes the ways between the first test examples, two by two, or between two that are chosen.

    Args:
        run: The run.
        path: A picture (.png, .svg, .pdf), or .npy for `[pairs, steps, *event]`.
        pairs: int. Defaults to 5.
        steps: int. Points of each, both ends among them. Defaults to 10.
        method: "linear" or "spherical". Defaults to "linear".
        between: Numbers of two test examples, counted from 0, in place of the first `pairs` pairs.

    Returns:
        `path`.

    Raises:
        InputError: for another suffix, too few test examples, see `explore.interpolate`.
    """
    path = checked_path(path, pairs=pairs, steps=steps)
    chosen = list(range(2 * pairs)) if between is None else list(between)
    vae, _, x, _, title = _opened(run, max(as_count("between", one, 0) for one in chosen) + 1)
    ends = x[chosen].reshape(-1, 2, *vae.event_shape)
    ways = np.stack([explore.interpolate(vae, a, b, steps, method).x for a, b in ends])
    return write_picture(
        path, ways, lambda: pictures.interpolations(ways, title=f"{title}, {method} interpolation")
    )


def draw_traversals(
    run: Run, path: Target, example: int | None = None, steps: int = 9, reach: float = 3.0
) -> Path:
    """Writes what each latent dimension does, from a test example or from the prior's mean.

    Args:
        run: The run.
        path: A picture (.png, .svg, .pdf), or .npy for `[D, steps, *event]`.
        example: int. Number of the test example, counted from 0. Defaults to None: the prior's mean.
        steps: int. Values of each dimension. Defaults to 9.
        reach: float. They go from -reach to reach. Defaults to 3.

    Returns:
        `path`.

    Raises:
        InputError: for another suffix, or an example that is not there.
    """
    path = checked_path(path, steps=steps)
    vae, _, x, _, title = _opened(
        run, 1 if example is None else as_count("example", example, 0) + 1
    )
    values = np.linspace(-reach, reach, steps)
    found = explore.traverse(vae, None if example is None else x[-1], values=values).x
    return write_picture(path, found, lambda: pictures.traversals(found, values, title=title))


def draw_variations(
    run: Run, path: Target, example: int = 0, n: int = 19, seed: int | None = None
) -> Path:
    """Writes a test example, and what the model makes of draws from its q(z|x).

    Args:
        run: The run.
        path: A picture (.png, .svg, .pdf), or .npy for `[1 + n, *event]`, the example first.
        example: int. Number of the test example, counted from 0. Defaults to 0.
        n: int. Draws. Defaults to 19.
        seed: int. The same seed gives the same draws; None gives fresh ones.

    Returns:
        `path`.

    Raises:
        InputError: for another suffix, or an example that is not there.
    """
    path = checked_path(path, n=n)
    vae, _, x, _, title = _opened(run, as_count("example", example, 0) + 1)
    found = np.concatenate([x[-1:], explore.variations(vae, x[-1], n, seed).x])
    title = f"{title}: the input, then draws from q(z|x)"
    return write_picture(path, found, lambda: pictures.samples(found, title=title))


def draw_direction(
    run: Run, path: Target, label: int, n: int = 5, method: str = "mean_difference"
) -> Path:
    """Writes test examples without a label, moved towards it and away from it.

    Args:
        run: The run.
        path: A picture (.png, .svg, .pdf), or .npy for `[n, strengths, *event]`.
        label: int. The class to move towards.
        n: int. Examples. Defaults to 5.
        method: "mean_difference" or "classifier". Defaults to "mean_difference".

    Returns:
        `path`.

    Raises:
        InputError: for another suffix, data without labels, or without that one.
    """
    path = checked_path(path, n=n)
    vae, _, x, y, title = _opened(run, n, _SEARCHED)
    if y is None:
        raise InputError("The data of this run have no labels, and a direction needs them.")
    if label not in y:
        raise InputError(
            f"No test example has label {label}; choose one of {np.unique(y).tolist()}."
        )
    direction = explore.attribute_direction(vae, x, y == label, method)
    edited = explore.edit(vae, x[y != label][:n], direction, STRENGTHS).x
    title = f"{title}: towards label {label}"
    return write_picture(path, edited, lambda: pictures.edits(edited, STRENGTHS, title=title))


def draw_nearest(run: Run, path: Target, n: int = 5, k: int = 7, seed: int | None = None) -> Path:
    """Writes samples, each with the test examples whose codes are nearest to its latent.

    Args:
        run: The run.
        path: A picture (.png, .svg, .pdf), or .npy for `[n, 1 + k, *event]`, the sample first.
        n: int. Samples. Defaults to 5.
        k: int. Test examples of each. Defaults to 7.
        seed: int. The same seed gives the same samples; None gives fresh ones.

    Returns:
        `path`.

    Raises:
        InputError: for another suffix, or more neighbours than test examples.
    """
    path = checked_path(path, n=n)
    vae, _, x, _, title = _opened(run, k, _SEARCHED)
    samples, z = (np.asarray(part) for part in vae.sample(n, seed=seed, return_latents=True))
    found = np.concatenate([samples[:, None], explore.nearest(vae, x, k, z=z).x], axis=1)
    title = f"{title}: a sample, then the nearest test examples"
    flat = found.reshape(-1, *vae.event_shape)
    return write_picture(path, found, lambda: pictures.samples(flat, columns=k + 1, title=title))


def draw_denoised(
    run: Run, path: Target, noise: float = 0.3, n: int = 20, seed: int = 0
) -> tuple[Path, explore.Denoised]:
    """Writes test examples with Gaussian noise, and what the model makes of them.

    Args:
        run: The run.
        path: A picture (.png, .svg, .pdf), or .npy for `[2, n, *event]`: noisy, then denoised.
        noise: float. Its standard deviation, in the data's units. Defaults to 0.3.
        n: int. Examples. Defaults to 20.
        seed: int. Of the noise. Defaults to 0.

    Returns:
        `path`, and the gain.

    Raises:
        InputError: for another suffix, or noise below 0.
    """
    path = checked_path(path, n=n)
    if not 0 <= noise < float("inf"):
        raise InputError(f"noise is {noise!r}, expected a standard deviation of at least 0.")
    vae, data, x, _, title = _opened(run, n)
    noisy = x + np.random.default_rng(seed).normal(0, noise, x.shape)
    noisy = np.clip(noisy, *vae.likelihood.support).astype(np.float32)
    found = explore.denoise(vae, noisy, x, _peak(data, x))
    title = f"{title}: noise of standard deviation {noise:g}, and without"
    draw: Callable = lambda: pictures.reconstructions(  # noqa: E731
        noisy, found.x, names=("noisy", "denoised"), title=title
    )
    return write_picture(path, np.stack([noisy, found.x]), draw), found


def draw_compressed(
    run: Run, path: Target, n: int = 20, bits_per_value: int | None = None, seed: int = 0
) -> tuple[Path, explore.Compressed]:
    """Writes test examples, and what is left of them after a code of q(z|x).

    Args:
        run: The run.
        path: A picture (.png, .svg, .pdf), or .npy for `[2, n, *event]`: before, then after.
        n: int. Examples in the picture; the rate and the error are of the first 2000 of the test
            split. Defaults to 20.
        bits_per_value: int. Of one value as it is. Defaults to 1 for binarised data, 8 for 8-bit
            data and 32 for others.
        seed: int. Of the codes. Defaults to 0.

    Returns:
        `path`, and the rate and the error.

    Raises:
        InputError: for another suffix, or more examples than there are.
    """
    path = checked_path(path, n=n)
    vae, data, x, _, title = _opened(run, n, _SEARCHED)
    if bits_per_value is None:
        bits_per_value = 1 if data.binarize else 8 if data.levels == 256 else 32
    found = explore.compress(vae, x, bits_per_value, _peak(data, x), seed)
    title = f"{title}: {found.raw_bits} bits, and {found.bits.mean():.1f} bits of q(z|x)"
    before, after = x[:n], found.x[:n]
    draw: Callable = lambda: pictures.reconstructions(  # noqa: E731
        before, after, names=("before", "after"), title=title
    )
    return write_picture(path, np.stack([before, after]), draw), found


def draw_optimum(
    run: Run,
    path: Target,
    score: Callable[[np.ndarray], Any],
    steps: int = 30,
    initial: int = 10,
    seed: int | None = None,
) -> tuple[Path, explore.Optimum]:
    """Writes all that a search for what a score likes best has tried, the best first.

    Args:
        run: The run.
        path: A picture (.png, .svg, .pdf), or .npy for `[initial + steps, *event]`.
        score: See `explore.optimize`.
        steps: int. Defaults to 30.
        initial: int. Draws from the prior to begin with. Defaults to 10.
        seed: int. The same seed gives the same search; None gives a fresh one.

    Returns:
        `path`, and what was found.

    Raises:
        InputError: for another suffix, or see `explore.optimize`.
    """
    path = checked_path(path, steps=steps)
    vae = run.model()
    found = explore.optimize(vae, score, steps, initial, seed)
    x = explore.decoded(vae, found.latents[np.argsort(-found.scores, kind="stable")]).x
    title = f"all that was tried, the best first: {found.score:.4g}"
    return write_picture(path, x, lambda: pictures.samples(x, columns=10, title=title)), found


def _opened(
    run: Run, least: int, most: int | None = None
) -> tuple[VAE, Data, np.ndarray, np.ndarray | None, str]:
    """The model, the data, the first `least` to `most` test examples, their labels, and a title."""
    data, vae = run.data(), run.model()
    x, y = head(data.test, most or least)
    if len(x) < least:
        raise InputError(f"The test split has {len(x)} examples, and {least} are asked for.")
    return vae, data, x, y, described(data)


def _peak(data: Data, x: np.ndarray) -> float:
    """The largest difference of two values."""
    low, high = data.value_range
    return float(x.max() - x.min()) if low is None or high is None else float(high - low)
