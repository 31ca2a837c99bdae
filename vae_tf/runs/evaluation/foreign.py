"""Data that a run was not trained on."""

import dataclasses
import os

from vae_tf.evaluation.summary import Evaluation
from vae_tf.runs.building import with_absolute_paths
from vae_tf.runs.run import Run


def is_foreign(run: Run, dataset: str | os.PathLike[str] | None) -> bool:
    """Whether `dataset` is given and is other data than the run's own."""
    if dataset is None:
        return False
    asked = dataclasses.replace(run.config, dataset=os.fspath(dataset))
    return with_absolute_paths(asked).dataset != run.config.dataset


def without_advice(details: Evaluation, name: str) -> Evaluation:
    """`details` with no advice on training: what other data show is no fault of the training.

    Args:
        details: Figures of other data.
        name: str. Theirs.
    """
    units = details.active_units
    sentence = (
        f"{units.count} of {len(units.variances)} latent dimensions are active on {name}, which the "
        "model was not trained on: that says nothing of its training."
    )
    return dataclasses.replace(
        details, collapse=dataclasses.replace(details.collapse, sentence=sentence)
    )
