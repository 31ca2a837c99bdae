"""A run on disk: its configuration, model, data and metrics."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vae_tf.runs.config import TrainingConfig
from vae_tf.runs.folder import RunFolder
from vae_tf.runs.metrics_file import as_history, read_metrics
from vae_tf.utils.errors import InputError

if TYPE_CHECKING:  # TensorFlow takes seconds to import, and `vae-tf info` has no use for it
    from vae_tf.data import Data
    from vae_tf.models.vae import VAE


@dataclasses.dataclass(frozen=True)
class Run:
    """A run on disk; `open_run` and `train` give one.

    Attributes:
        folder: Path.
        config: TrainingConfig. What the run was started with.
        epoch: int. Finished epochs, 0 if there is none yet.
        history: dict. Name -> one value an epoch, nats per example, as Keras' `history`.
        columns: tuple of str. Names of the columns of the table that the model takes, in its order;
            empty for other data and for a run of version 0.1.
        account: dict or None. What was taken of the files and columns of the data, what was left
            out and why, as JSON values; see `vae_tf.data.Data.account`. None for a run of 0.1.
    """

    folder: Path
    config: TrainingConfig
    epoch: int
    history: dict[str, list[float]]
    columns: tuple[str, ...] = ()
    account: dict[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.config.epochs

    def summary(self) -> dict[str, Any]:
        """The run in a few JSON values: what it is, how far, and the figures of its last epoch."""
        last = {name: values[-1] for name, values in self.history.items() if values}
        return {
            "folder": str(self.folder),
            "epoch": self.epoch,
            "finished": self.finished,
            "metrics": last,
            "config": self.config.values(),
            "data": self.account,
        }

    def __str__(self) -> str:
        config = self.config
        default = TrainingConfig()
        differing = {name: old for name, (old, _) in config.differences(default).items()}
        shown: dict[str, Any] = {
            "dataset": config.dataset,
            "binarize": config.binarize,
            "preset": config.preset,
        }
        shown |= {"latent_dim": config.latent_dim, "objective": config.objective, **differing}
        lines = [
            f"{self.folder}: {self.epoch} of {config.epochs} epochs",
            "  " + ", ".join(f"{name} {value}" for name, value in shown.items()),
        ]
        lines += [f"  data: {sentence}" for sentence in (self.account or {}).get("sentences", ())]
        last = {name: values[-1] for name, values in self.history.items() if values}
        if "val_elbo" in last:
            lines.append(
                f"  test elbo {last['val_elbo']:.2f} = "
                f"log_likelihood {last['val_log_likelihood']:.2f} - kl {last['val_kl']:.2f}, "
                f"nats per example of {self.described}"
            )
        return "\n".join(lines)

    @property
    def described(self) -> str:
        """The dataset and its binarisation: figures under two binarisations do not compare."""
        noise = ", dequantised" if self.config.dequantize else ""
        binarized = self.config.binarize or "no"
        return f"{Path(self.config.dataset).name} ({binarized} binarisation{noise})"

    def model(self) -> "VAE":
        """The model after the last finished epoch, from `model.keras`.

        Raises:
            InputError: if no epoch is done, or the file is damaged.
        """
        from vae_tf.models.loading import load

        if not self.epoch:
            raise InputError(f"The run in {self.folder} has no finished epoch; resume it first.")
        return load(RunFolder(self.folder).model)

    def data(self, dataset: str | os.PathLike[str] | None = None) -> "Data":
        """The data of the run, in pipelines that go on after its last epoch.

        Args:
            dataset: Name or path of other data, treated in the same way. Defaults to the run's.

        Columns of a table are those that the model was trained on, whatever their order in the file.

        Raises:
            InputError: if the dataset is not there any more, or is a table of other columns.
        """
        from vae_tf.runs.building import former_columns, load_data

        config = self.config
        columns = former_columns(config) if self.account is None else self.columns
        if dataset is not None:
            config = dataclasses.replace(config, dataset=os.fspath(dataset))
        return load_data(config, self.epoch, columns or None)


def open_run(folder: str | os.PathLike[str]) -> Run:
    """The run in `folder`. Reads two small files, and imports no TensorFlow.

    Args:
        folder: What `train` was given.

    Raises:
        InputError: if there is no run, or its files are damaged.
    """
    place = RunFolder(folder)
    config = place.read_config()
    epoch = place.last_epoch()
    rows = [row for row in read_metrics(place.metrics) if row["epoch"] <= epoch]
    return Run(place.path, config, epoch, as_history(rows), **(place.read_data() or {}))
