"""Loads a saved VAE."""

import os
import zipfile
from pathlib import Path

import keras

from vae_tf.models.vae import VAE
from vae_tf.utils.errors import InputError


def load(path: str | os.PathLike, custom_objects: dict | None = None) -> VAE:
    """The model of a `.keras` file that `VAE.save` wrote, with its optimizer and objective.

    Args:
        path: Path of the file.
        custom_objects: Names of your own layers, as in `keras.saving.load_model`.

    Raises:
        InputError: if there is no such file, it is damaged, or holds something else than a VAE.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"There is no model file {path}; give the .keras file that vae.save wrote."
        )
    if not zipfile.is_zipfile(path):
        raise InputError(
            f"{path} is not a whole .keras file: it is damaged, cut short or another kind."
        )
    try:
        model = keras.saving.load_model(path, custom_objects=custom_objects)
    except (zipfile.BadZipFile, OSError, KeyError, EOFError) as error:
        raise InputError(f"{path} is not a whole .keras file: {error}.") from error
    if not isinstance(model, VAE):
        raise InputError(f"{path} holds a {type(model).__name__}, not a vae_tf.VAE.")
    return model
