"""The data and the model of a configuration."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence

import keras

from vae_tf import presets
from vae_tf.data import Data, head, load, tables
from vae_tf.data.loading import TABLES, as_path
from vae_tf.models.vae import VAE
from vae_tf.priors import VampPrior
from vae_tf.runs.config import TrainingConfig
from vae_tf.runs.likelihood import choose_likelihood
from vae_tf.runs.objective import build_objective


def with_absolute_paths(config: TrainingConfig) -> TrainingConfig:
    """`config` with absolute paths, so that a run is found again from another working folder.

    Raises:
        InputError: if the dataset is a path where nothing is.
    """
    absolute: dict[str, str] = {}
    path = as_path(config.dataset)
    if path is not None:
        absolute["dataset"] = os.path.abspath(path)
    for name in ("data_dir", "manual_dir"):
        if getattr(config, name) is not None:
            absolute[name] = os.path.abspath(os.path.expanduser(getattr(config, name)))
    return dataclasses.replace(config, **absolute)  # type: ignore[arg-type]


def with_default_likelihood(config: TrainingConfig, data: Data) -> TrainingConfig:
    """`config` with the likelihood that its data call for, where it names none."""
    if config.likelihood is not None:
        return config
    return dataclasses.replace(config, likelihood=choose_likelihood(data))


def load_data(
    config: TrainingConfig, first_epoch: int = 0, columns: Sequence[str] | None = None
) -> Data:
    """The data of `config`, in pipelines of which the first iteration is epoch `first_epoch`.

    Args:
        config: Of the run.
        first_epoch: int. Defaults to 0.
        columns: The columns that a table has to have, in the order of the model. Defaults to those
            that it has.

    Raises:
        InputError: see `vae_tf.data.load`.
    """
    return load(
        config.dataset,
        config.batch_size,
        binarize=config.binarize,
        dequantize=config.dequantize,
        seed=config.seed,
        first_epoch=first_epoch,
        image_size=config.image_size,
        data_dir=config.data_dir,
        manual_dir=config.manual_dir,
        on_corrupt=config.on_corrupt,
        standardize=config.standardize,
        label_column=config.label_column,
        drop=config.drop,
        columns=columns,
    )


def build_model(config: TrainingConfig, data: Data) -> VAE:
    """The untrained and compiled model of `config`.

    Raises:
        InputError: for names that are not known, parts that do not fit, a warm-up longer than the
            training.
    """
    objective = build_objective(config, int(data.train.cardinality()), data.num_train)
    with _precision(config.precision):
        vae = presets.create(
            config.preset,
            data.event_shape,
            config.latent_dim,
            likelihood=config.likelihood or choose_likelihood(data),
            posterior=config.posterior,
            prior=config.prior,
            seed=config.seed,
            **{k: value for k, value in config.preset_options.items() if value is not None},
        )
    if isinstance(vae.prior, VampPrior) and data.num_train >= vae.prior.num_components:
        vae.prior.initialize(head(data.train, vae.prior.num_components)[0])
    vae.compile(keras.optimizers.Adam(config.learning_rate), objective)
    return vae


def former_columns(config: TrainingConfig) -> tuple[str, ...] | None:
    """The columns of the table that a run of version 0.1 took; it did not note them down.

    Returns:
        Their names, or None for data that are no table.

    Raises:
        InputError: if the table is damaged or not there any more.
    """
    path = as_path(config.dataset)
    if path is None or path.suffix.lower() not in TABLES:
        return None
    return tables.former_columns(path, config.label_column)


@contextlib.contextmanager
def _precision(policy: str) -> Iterator[None]:
    """Makes `policy` the one that layers take up, and puts the old one back."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
