"""The callback that stores each finished epoch."""

import math
import time
from typing import Any

import keras

from vae_tf.runs.config import TrainingConfig
from vae_tf.runs.folder import RunFolder
from vae_tf.runs.metrics_file import ENDED, EPOCH, SECONDS, Row, write_metrics
from vae_tf.runs.tensorboard import write_events
from vae_tf.utils.atomic import replacing
from vae_tf.utils.errors import InputError


class Recorder(keras.callbacks.Callback):
    """Writes metrics, checkpoint, `model.keras` and TensorBoard events at the end of each epoch.

    It comes after the user's callbacks, so that what they change at the end of an epoch (such as
    the learning rate) is in the checkpoint.

    Args:
        place: The folder of the run.
        config: The configuration of the run.
        rows: The metrics of the epochs before; grows.
    """

    def __init__(self, place: RunFolder, config: TrainingConfig, rows: list[Row]) -> None:
        super().__init__()
        self._place = place
        self._config = config
        self._rows = rows
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Looks at the clock."""
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Makes the epoch safe.

        Raises:
            InputError: if the loss is no number any more; the epoch before stays the newest.
            OSError: if something cannot be written; the same holds.
        """
        values = {name: float(value) for name, value in (logs or {}).items()}
        self._check_finite(epoch + 1, values)
        seconds = round(time.perf_counter() - self._started, 3)
        ended = round(time.time(), 3)
        self._rows.append({EPOCH: epoch + 1, **values, SECONDS: seconds, ENDED: ended})
        # The checkpoint comes second: with it the epoch counts, and its row must be there by then.
        write_metrics(self._place.metrics, self._rows)
        with replacing(self._place.checkpoint(epoch + 1)) as written:
            self.model.save(written)
        self._place.publish(epoch + 1)
        write_events(self._place.tensorboard, self._rows)

    def _check_finite(self, epoch: int, values: dict[str, float]) -> None:
        loss, val_loss = values.get("loss", 0.0), values.get("val_loss", 0.0)
        # A NaN of the validation alone means that the last step of the epoch broke the weights.
        if math.isfinite(loss) and not math.isnan(val_loss):
            return
        bad = val_loss if math.isfinite(loss) else loss
        kept = (
            f"{self._place.checkpoint(epoch - 1)} holds the last good weights"
            if epoch > 1
            else "no epoch is good"
        )
        half = self._config.precision == "mixed_float16"
        raise InputError(
            f"The loss became {bad:g} in epoch {epoch}, and training stopped; {kept}. "
            f"Train anew with a learning_rate below {self._config.learning_rate:g}"
            f"{', or in float32' if half else ''}."
        )
