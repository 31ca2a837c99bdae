"""Out-of-distribution scores of a run's model on other data."""

import os

import numpy as np

from vae_tf.data import Data, head
from vae_tf.evaluation.batching import Progress
from vae_tf.evaluation.ood.background_model import train_background
from vae_tf.evaluation.ood.scores import OutOfDistribution, out_of_distribution
from vae_tf.models.vae import VAE
from vae_tf.runs.progress import EpochProgress
from vae_tf.runs.run import Run
from vae_tf.training.data_checks import check_values
from vae_tf.utils.errors import InputError

MOST = 2000
"""Test examples of either set at most."""

MOST_SAMPLES = 100
"""K of log p(x) at most: that order needs less than a figure to report."""

_LEAST = 2
_BACKGROUND = 20_000  # train examples of the background model at most


def other_data(run: Run, vae: VAE, own: Data, name_or_path: str | os.PathLike[str]) -> Data:
    """Other data, binarised and scaled to size as the run's own, and looked at.

    Args:
        run: The run.
        vae: Its model.
        own: Its data.
        name_or_path: Of the others.

    Raises:
        InputError: if there are none of that name, their examples have another shape or values that
            the likelihood has no density for, or fewer than two are in the test split.
    """
    data = run.data(name_or_path)
    if data.event_shape != vae.event_shape:
        raise InputError(
            f"{data.name} has examples of shape {data.event_shape} and the model is for "
            f"{tuple(vae.event_shape)}; give other data of that shape, or train with --image-size."
        )
    if examples_of(data) < _LEAST:
        raise InputError(
            f"The test split of {data.name} has {examples_of(data)} example, expected at least "
            f"{_LEAST}; give more."
        )
    x, _ = examples_in_units_of(own, data, MOST, foreign=True)
    check_values(x, vae.likelihood, data.name, scored=True)
    return data


def examples_of(data: Data, foreign: bool = True) -> int:
    """How many examples of `data` a model is evaluated on: the test split.

    Of foreign data that came without a test split these are all: the model was trained on none.
    """
    return data.num_test + (data.num_train if foreign and data.held_out else 0)


def examples_in_units_of(
    own: Data, data: Data, most: int, foreign: bool = False
) -> tuple[np.ndarray, np.ndarray | None]:
    """The first examples of `data` that a model is evaluated on, and their labels; see `examples_of`.

    Columns of tables are standardised by the means and deviations of `own`, which the model was
    trained under, not by those of `data`. Labels are the numbers that classes of these names have in
    `own`; None if one of them is not there.
    """
    x, y = head(data.test, min(most, data.num_test))
    missing = min(most, examples_of(data, foreign)) - len(x)
    if missing > 0:
        more, labels = head(data.train, missing)
        x = np.concatenate([x, more])
        y = None if y is None or labels is None else np.concatenate([y, labels])
    if y is not None and data.class_names and data.class_names != own.class_names:
        y = _numbered_as(own.class_names, data.class_names, y)
    if data is own or own.mean is None or data.mean is None:
        return x, y
    # The means first: they may be far larger than their difference, which float32 could not hold.
    shifted = x * data.stddev + (data.mean - own.mean)
    return (shifted / own.stddev).astype(np.float32), y


def _numbered_as(own: tuple[str, ...], names: tuple[str, ...], y: np.ndarray) -> np.ndarray | None:
    if not own:  # numbers without names, which mean the same as far as anybody knows
        return y
    if not set(names) <= set(own):
        return None
    return np.array([own.index(name) for name in names], np.int64)[y]


def out_of_distribution_run(
    vae: VAE,
    own: Data,
    x: np.ndarray,
    other: Data,
    samples: int,
    background_epochs: int,
    progress: Progress | None = None,
) -> OutOfDistribution:
    """How well the model's scores tell examples of its own kind from those of other data.

    All of both sets, the first 2000 at most, with K = 100 at most. The background model of the
    likelihood ratio is trained here, on the first 20,000 train examples at most.

    Args:
        vae: The model.
        own: Its data.
        x: `[N, *event]`, N at least 2. Test examples of its own kind.
        other: What `other_data` gave.
        samples: int. K of log p(x).
        background_epochs: int. Training of the background model; 0 leaves the likelihood ratio out.
        progress: As in `vae_tf.evaluation.evaluate`.
    """
    x_out, _ = examples_in_units_of(own, other, MOST, foreign=True)
    background = None
    if background_epochs:
        x_train, _ = head(own.train, _BACKGROUND)
        shown = [EpochProgress("background model", background_epochs, progress)]
        background = train_background(
            vae, x_train, epochs=background_epochs, seed=own.seed, callbacks=shown
        )
    return out_of_distribution(
        vae,
        x[:MOST],
        x_out,
        background,
        num_samples=min(samples, MOST_SAMPLES),
        seed=own.seed,
        progress=progress,
    )


def likelihood_verdict(found: OutOfDistribution, other: str) -> str:
    """What the AUROC of log p(x) says, which is known to fail, and which score does best."""
    plain = found.detections["log_prob"].auroc
    best = max(found.detections, key=lambda score: found.detections[score].auroc)
    verdict = (
        "higher on other data than on the model's own, the known failure of plain likelihood "
        "(Nalisnick et al., 2019)"
        if plain < 0.5
        else "lower on other data, as it is meant to be, but only on these: plain likelihood is known "
        "to fail on others (Nalisnick et al., 2019)"
    )
    return (
        f"Against {other} log p(x) has AUROC {plain:.3f}: it is more often {verdict}. The "
        f"highest AUROC here has {best.replace('_', ' ')}, {found.detections[best].auroc:.3f}."
    )
