"""One line an epoch, for logs and pipes."""

import time
from typing import Any

import keras

_SHOWN = ("elbo", "log_likelihood", "kl", "val_elbo")


class EpochLines(keras.callbacks.Callback):
    """Prints one line at the end of each epoch, in nats per example.

    Args:
        epochs: int. Epochs of the whole training.
    """

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Looks at the clock."""
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Prints the line."""
        values = [f"{name} {logs[name]:.2f}" for name in _SHOWN if name in (logs or {})]
        seconds = time.perf_counter() - self._started
        print(
            f"epoch {epoch + 1}/{self._epochs}: {', '.join(values)} ({seconds:.1f} s)", flush=True
        )
