"""Training into a run folder, and resuming."""

import os
from collections.abc import Sequence
from typing import Any

import keras

from vae_tf.data import Data, head
from vae_tf.models.loading import load
from vae_tf.models.vae import VAE
from vae_tf.runs.building import (
    build_model,
    former_columns,
    load_data,
    with_absolute_paths,
    with_default_likelihood,
)
from vae_tf.runs.config import TrainingConfig
from vae_tf.runs.figures.callback import PictureCallback
from vae_tf.runs.figures.illustrate import illustrate
from vae_tf.runs.folder import RunFolder
from vae_tf.runs.metrics_file import EPOCH, read_metrics, write_metrics
from vae_tf.runs.progress import EpochLines
from vae_tf.runs.recorder import Recorder
from vae_tf.runs.run import Run, open_run
from vae_tf.runs.tensorboard import write_events
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError

_DRAWN = 1000  # test examples of the pictures during training


def train(
    config: TrainingConfig,
    folder: str | os.PathLike[str],
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 2,
    pictures_every: int = 0,
) -> Run:
    """Trains a model, and keeps everything about it in a folder.

    After each epoch the folder holds `config.json`, `data.json`, `metrics.csv`, the last two
    `checkpoints/`, `model.keras` and `tensorboard/` events; at the end also `pictures/`. No file in
    it is ever half written. A training that is stopped at any moment, by Ctrl-C or by kill -9, loses
    at most the epoch under way; resumed, on the same kind of machine, it ends with the weights that
    it would have had without the stop, bit for bit on a CPU.

    Args:
        config: What to train.
        folder: Of the run. New or empty, unless `resume`.
        resume: bool. Whether to go on with the run in `folder`, up to `config.epochs`, which may
            have been raised; without a run there, it begins. Defaults to False.
        callbacks: Further Keras callbacks. Those with a state of their own begin anew at a resume.
        verbose: 0 prints nothing, 1 shows Keras' bar, 2 prints one line an epoch. Defaults to 2.
        pictures_every: int. Epochs from picture to picture in `pictures/epochs/`, where an animation of
            each is made at the end, and in TensorBoard; see `PictureCallback`. Not part of the
            configuration: it changes no weight. Defaults to 0: no pictures.

    Returns:
        The finished run.

    Raises:
        InputError: for a configuration that does not work, a folder that holds something else,
            another configuration at a resume, a damaged checkpoint, a loss that is no number.
        OSError: if the folder cannot be written to. The run as of the last epoch stays whole.
    """
    config = with_absolute_paths(config)
    place = RunFolder(folder)
    _check_folder(place, config, resume)
    as_count("pictures_every", pictures_every, least=0)
    done = place.last_epoch()
    known = place.read_data()
    columns = former_columns(config) if done and not known else (known or {}).get("columns")
    data = load_data(config, done, columns or None)
    config = with_default_likelihood(config, data)
    vae = _load_checkpoint(place, done) if done else build_model(config, data)
    if pictures_every:
        callbacks = [*callbacks, _pictures(place, data, pictures_every)]
    with place.locked():
        if place.last_epoch() != done:
            raise InputError(f"Another process has trained in {place.path}; resume once more.")
        place.write_config(config)
        place.write_data(data.column_names, data.account.as_dict())
        try:
            _fit(config, place, done, vae, data, callbacks, verbose)
        except OSError as error:
            last = place.last_epoch()
            safe = f"the run is whole as of epoch {last}" if last else "no epoch is done"
            reason = f"{error.strerror or error}; {safe}, resume it when that is mended"
            raise OSError(error.errno, reason, error.filename) from error
        run = open_run(place.path)
        illustrate(vae, data, run.history, place.pictures)
    return run


def _fit(
    config: TrainingConfig,
    place: RunFolder,
    done: int,
    vae: VAE,
    data: Data,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int,
) -> None:
    rows = [row for row in read_metrics(place.metrics) if row[EPOCH] <= done]
    if done:  # what a kill right after the checkpoint left undone
        write_metrics(place.metrics, rows)
        place.publish(done)
        write_events(place.tensorboard, rows)
    if done == config.epochs:
        return
    lines: list[Any] = [EpochLines(config.epochs)] if verbose == 2 else []
    vae.fit(
        data.train,
        validation_data=data.test,
        initial_epoch=done,
        epochs=config.epochs,
        callbacks=[*callbacks, *lines, Recorder(place, config, rows)],
        verbose=1 if verbose == 1 else 0,
        shuffle=False,  # the pipeline does
    )


def _pictures(place: RunFolder, data: Data, every: int) -> PictureCallback:
    x, y = head(data.test, _DRAWN)
    return PictureCallback(
        place.pictures / "epochs",
        x,
        y,
        every=every,
        seed=data.seed,
        tensorboard=place.tensorboard / "pictures",
    )


def _check_folder(place: RunFolder, config: TrainingConfig, resume: bool) -> None:
    if place.is_empty:
        return
    if not place.is_run:
        raise InputError(
            f"{place.path} holds something else than a run; give a new or an empty folder."
        )
    if not resume:
        raise InputError(
            f"{place.path} holds a run already, after epoch {place.last_epoch()}; resume it, or "
            "give a new folder."
        )
    different = place.read_config().differences(config)
    different.pop("epochs", None)
    if config.likelihood is None:  # then it is the one that the data called for
        different.pop("likelihood", None)
    if different:
        listed = ", ".join(
            f"{name} {old!r} (now {new!r})" for name, (old, new) in different.items()
        )
        raise InputError(
            f"The run in {place.path} was started with another configuration: {listed}. Resume it "
            "with its own, or start another run in a new folder."
        )
    if config.epochs < place.last_epoch():
        raise InputError(
            f"The run in {place.path} has {place.last_epoch()} epochs already, and {config.epochs} "
            "were asked for; ask for more, or for as many."
        )


def _load_checkpoint(place: RunFolder, epoch: int) -> VAE:
    path = place.checkpoint(epoch)
    try:
        return load(path)
    except InputError as error:
        before = place.epochs()[-2:-1]
        remedy = f"resumes after epoch {before[0]}" if before else "begins again"
        raise InputError(
            f"The checkpoint {path} is damaged. Delete that file, and the run {remedy}."
        ) from error
