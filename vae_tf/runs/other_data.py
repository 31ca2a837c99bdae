"""A run's model on data of another kind."""

import os

import numpy as np

from vae_tf.data import Data, head
from vae_tf.errors import InputError
from vae_tf.evaluation.background import train_background
from vae_tf.evaluation.batching import Progress
from vae_tf.evaluation.ood import OutOfDistribution, out_of_distribution
from vae_tf.runs.run import Run
from vae_tf.vae import VAE

MOST = 2000
"""Test examples of either set at most."""

_BACKGROUND = 20_000  # train examples of the background model at most


def other_data(run: Run, vae: VAE, name_or_path: str | os.PathLike[str]) -> Data:
    """Other data, binarised and scaled to size as the run's own.

    Raises:
        InputError: if there are none of that name, or their examples have another shape.
    """
    data = run.data(name_or_path)
    if data.event_shape != vae.event_shape:
        raise InputError(
            f"{data.name} has examples of shape {data.event_shape} and the model is for "
            f"{tuple(vae.event_shape)}; give other data of that shape, or train with --image-size."
        )
    return data


def out_of_distribution_run(
    vae: VAE,
    data: Data,
    other: Data,
    samples: int,
    background_epochs: int,
    progress: Progress | None = None,
) -> OutOfDistribution:
    """How well the model's scores tell its test examples from those of other data.

    As many of each set, the first 2000 at most. The background model of the likelihood ratio is
    trained here, on the first 20,000 train examples at most.

    Args:
        vae: The model.
        data: Its data.
        other: What `other_data` gave.
        samples: int. K of log p(x).
        background_epochs: int. Training of the background model; 0 leaves the likelihood ratio out.
        progress: As in `vae_tf.evaluation.evaluate`.

    Raises:
        InputError: for fewer than two examples, or values the likelihood has no density for.
    """
    number = min(MOST, data.num_test, other.num_test)
    x_in, x_out = head(data.test, number)[0], _in_units_of(data, other, number)
    background = None
    if background_epochs:
        background = train_background(
            vae, head(data.train, _BACKGROUND)[0], epochs=background_epochs, seed=data.seed
        )
    return out_of_distribution(
        vae, x_in, x_out, background, num_samples=samples, seed=data.seed, progress=progress
    )


def _in_units_of(data: Data, other: Data, number: int) -> np.ndarray:
    """Examples of `other`; columns of tables by the means and deviations of `data`, not their own."""
    x, _ = head(other.test, number)
    if data.mean is None or other.mean is None:
        return x
    return (x * other.stddev + other.mean - data.mean) / data.stddev
