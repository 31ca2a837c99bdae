"""Progress for logs and pipes."""

import time
from typing import Any

import keras

from vae_tf.evaluation.batching import Progress

_SHOWN = ("elbo", "log_likelihood", "kl", "val_elbo")


class EpochLines(keras.callbacks.Callback):
    """Prints one line at the end of each epoch, in nats per example.

    Args:
        epochs: int. Epochs of the whole training.
        every: int. Prints only each `every`-th epoch and the last. Defaults to 1.
    """

    def __init__(self, epochs: int, every: int = 1) -> None:
        super().__init__()
        self._epochs = epochs
        self._every = every
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Looks at the clock."""
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Prints the line."""
        if (epoch + 1) % self._every and epoch + 1 != self._epochs:
            return
        values = [f"{name} {logs[name]:.2f}" for name in _SHOWN if name in (logs or {})]
        seconds = time.perf_counter() - self._started
        print(
            f"epoch {epoch + 1}/{self._epochs}: {', '.join(values)} ({seconds:.1f} s)", flush=True
        )


class EpochProgress(keras.callbacks.Callback):
    """Says after each epoch how many are done, to what draws progress bars.

    Args:
        what: str. What is trained.
        epochs: int. Epochs of the whole training.
        progress: Called with `what`, epochs done, and `epochs`. None to say nothing.
    """

    def __init__(self, what: str, epochs: int, progress: Progress | None) -> None:
        super().__init__()
        self._what = what
        self._epochs = epochs
        self._progress = progress

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Says it."""
        if self._progress:
            self._progress(self._what, epoch + 1, self._epochs)
