"""Loads a saved model."""

import os
import zipfile
from pathlib import Path
from typing import Any

import keras

from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.utils.errors import InputError


def load(path: str | os.PathLike, custom_objects: dict | None = None) -> Any:
    """The model of a `.keras` file that `save` wrote, with its optimizer and objective.

    Args:
        path: Path of the file.
        custom_objects: Names of your own layers, as in `keras.saving.load_model`.

    Raises:
        InputError: if there is no such file, it is damaged, or holds something else than
            a model of `vae_tf.models`.
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
    if not isinstance(model, LatentVariableModel):
        raise InputError(f"{path} holds a {type(model).__name__}, not a vae_tf.VAE.")
    return model
