"""The paths in a run folder, and its complete checkpoints."""

import contextlib
import errno
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vae_tf.runs.config import TrainingConfig
from vae_tf.utils.atomic import remove_leftovers, replacing, write_text
from vae_tf.utils.errors import InputError

_KEPT = 2
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_CHECKPOINT = re.compile(r"epoch-(\d+)\.keras")


class RunFolder:
    """Paths of a run, and what is done to its files.

    A checkpoint is the truth about a run: it appears in one step, after the row of its epoch in
    `metrics.csv` and before `model.keras`, which is the same file. Whatever moment a kill hits,
    the newest checkpoint and the rows up to its epoch are a whole run.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.data = self.path / "data.json"
        self.model = self.path / "model.keras"
        self.metrics = self.path / "metrics.csv"
        self.checkpoints = self.path / "checkpoints"
        self.tensorboard = self.path / "tensorboard"
        self.pictures = self.path / "pictures"

    @property
    def is_run(self) -> bool:
        """Whether a run was started here."""
        return self.config.is_file()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is here, or only what a killed process left."""
        return not self.path.exists() or all(
            child.name.startswith(".") and child.name.endswith(".tmp")
            for child in self.path.iterdir()
        )

    def checkpoint(self, epoch: int) -> Path:
        """The file of the checkpoint after `epoch` epochs."""
        return self.checkpoints / f"epoch-{epoch:04d}.keras"

    def epochs(self) -> list[int]:
        """The epochs that have a checkpoint, growing."""
        if not self.checkpoints.is_dir():
            return []
        matches = (_CHECKPOINT.fullmatch(child.name) for child in self.checkpoints.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def last_epoch(self) -> int:
        """The newest epoch that has a checkpoint, 0 if there is none."""
        return max(self.epochs(), default=0)

    def read_config(self) -> TrainingConfig:
        """The configuration of the run.

        Raises:
            InputError: if there is no run here, or `config.json` is damaged.
        """
        if not self.is_run:
            raise InputError(
                f"There is no run in {self.path} (no config.json); give a folder that "
                "`vae-tf train` made."
            )
        try:
            return TrainingConfig.from_json(self.config.read_text(encoding="utf-8"))
        except InputError as error:
            raise InputError(f"{self.config}: {error}") from error

    def write_config(self, config: TrainingConfig) -> None:
        """Writes `config.json`.

        Raises:
            OSError: if it cannot be written.
        """
        write_text(self.config, config.to_json())

    def read_data(self) -> dict[str, Any] | None:
        """What `write_data` wrote, None in a run of version 0.1.

        Raises:
            InputError: if `data.json` is damaged.
        """
        if not self.data.is_file():
            return None
        try:
            found = json.loads(self.data.read_text(encoding="utf-8"))
            return {"columns": tuple(found["columns"]), "account": dict(found["account"])}
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"{self.data} is damaged ({error}); delete it, and the columns of the data are taken "
                "in the order that they have."
            ) from error

    def write_data(self, columns: Sequence[str], account: dict[str, Any]) -> None:
        """Writes `data.json`: the names of the columns that the model takes, and the account.

        Raises:
            OSError: if it cannot be written.
        """
        found = {"columns": list(columns), "account": account}
        write_text(self.data, json.dumps(found, indent=2) + "\n")

    def publish(self, epoch: int) -> None:
        """Makes `model.keras` the checkpoint of `epoch`, and removes all but the last checkpoints.

        Raises:
            OSError: if it cannot be written.
        """
        with replacing(self.model) as written:
            shutil.copyfile(self.checkpoint(epoch), written)
        for old in self.epochs()[:-_KEPT]:
            self.checkpoint(old).unlink()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other trainings out of the folder, makes it where missing, and tidies it up.

        Raises:
            InputError: if another process trains here.
            OSError: if the folder cannot be made or written to.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with _exclusive(self.path):
            remove_leftovers(self.path)
            yield


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows: it refuses to replace a file that another process has open
        yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"Another process is training in {path}; wait for it, or choose another folder."
            ) from None
        except OSError as error:
            # Some network file systems have no locks: there it is up to the user.
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(descriptor)  # which lets go of the lock, as a kill does
