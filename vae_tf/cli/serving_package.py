"""Access of the command line to `vae_tf_serving`, which the library never imports."""

from pathlib import Path
from typing import Any

from vae_tf.utils.errors import InputError

MODEL_NAME = "vae"
PORT, REST_PORT = 8500, 8501


def serving_module(name: str) -> Any:
    """A module of `vae_tf_serving`.

    Raises:
        InputError: if what it needs is not installed.
    """
    import importlib

    try:
        return importlib.import_module(f"vae_tf_serving.{name}")
    except ImportError as error:
        raise InputError(
            f"{error.name} is missing; install the server with `pip install 'vae-tf[serve]'`."
        ) from error


def model_flags(model: Path) -> list[str]:
    """The flags that serve the versions in `model`, on TensorFlow Serving's ports.

    Raises:
        InputError: if there is no such folder, or it is itself a version or a run.
    """
    folder = model.absolute()
    if not folder.is_dir():
        raise InputError(
            f"There is no folder {model}; give the one that `vae-tf export --to` made."
        )
    if (folder / "saved_model.pb").is_file():
        raise InputError(
            f"{model} is one version of a model; give the folder around it, {folder.parent}."
        )
    if (folder / "config.json").is_file():
        raise InputError(
            f"{model} is a run; export it first: vae-tf export {model} --to models/{folder.name}"
        )
    return [
        f"--model_base_path={folder}",
        f"--model_name={MODEL_NAME}",
        f"--port={PORT}",
        f"--rest_api_port={REST_PORT}",
    ]
