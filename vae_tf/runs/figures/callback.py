"""A callback that draws pictures during training."""

import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from vae_tf import pictures
from vae_tf.explore.codes import as_batch
from vae_tf.runs.figures.model_figures import is_drawable, model_figures
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


class PictureCallback(keras.callbacks.Callback):
    """Draws the same pictures after every few epochs, and an animation of each at the end of training.

    Of epoch 12 `folder`/samples/epoch-0012.png and so on for the other pictures of
    `vae_tf.runs.figures.model_figures`; at the end `folder`/samples.gif and so on, of all the epochs
    in the folder: those before a resume too. Samples come from the same latents each time.

    Args:
        folder: Where the pictures go, such as RUN/pictures/epochs.
        x: `[N, *event]`. Examples to reconstruct and encode, of the test split.
        y: `[N]`, their labels, or None.
        every: int. Epochs from picture to picture. Defaults to 1.
        seed: int. Of the samples. Defaults to 0.
        tensorboard: Folder for the same pictures as TensorBoard events. Defaults to None: no events.

    Raises:
        InputError: for no example, `every` below 1, or events that have no picture.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        x: Any,
        y: Any = None,
        *,
        every: int = 1,
        seed: int = 0,
        tensorboard: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        self._folder = Path(folder)
        self._x = as_batch(x, "x")
        self._y = y
        self._every = as_count("every", every)
        self._seed = seed
        self._tensorboard = tensorboard
        self._writer: tf.summary.SummaryWriter | None = None
        if not is_drawable(self._x.shape[1:]):
            raise InputError(
                f"`x` has shape {self._x.shape}, but pictures need images [N, H, W, C] of 1 or 3 "
                "channels, or vectors [N, D]."
            )

    def on_train_begin(self, logs: Any = None) -> None:
        """Opens the events, which makes their folder."""
        if self._tensorboard is not None:
            self._writer = tf.summary.create_file_writer(os.fspath(self._tensorboard))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Draws, if it is the turn of this epoch.

        Raises:
            InputError: if a picture cannot be written.
        """
        number = epoch + 1
        if number % self._every:
            return
        figures = model_figures(self.model, self._x, self._y, f"epoch {number}", self._seed)
        for name, figure in figures.items():
            path = pictures.save(figure, self._folder / name / f"epoch-{number:04d}.png")
            if self._writer is not None:
                with self._writer.as_default():
                    image = tf.io.decode_png(path.read_bytes(), channels=3)
                    tf.summary.image(name, image[tf.newaxis], step=number)
                self._writer.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Puts the pictures of all epochs together.

        Raises:
            OSError: if an animation cannot be written.
        """
        if self._writer is not None:
            self._writer.close()
        for folder in sorted(path for path in self._folder.glob("*") if path.is_dir()):
            frames = sorted(folder.glob("epoch-*.png"))
            if frames:
                pictures.animation(frames, folder.with_suffix(".gif"))
