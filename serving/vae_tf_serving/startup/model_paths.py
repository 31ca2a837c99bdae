"""Checks the base paths of the models before loading."""

from pathlib import Path

from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from vae_tf_serving.core.models.version_policy import aspired_versions, find_versions
from vae_tf_serving.startup.start_error import StartError

_GRAPHS = ("saved_model.pb", "saved_model.pbtxt")


def check_base_paths(config: ModelServerConfig) -> None:
    """Checks that every model has a version to load.

    TensorFlow Serving waits without a limit for a missing model, and retries for minutes to load a
    folder that is not a SavedModel. Here both are errors of the start.

    Raises:
        StartError: A model without a version, or with a remote path.
    """
    for model in config.model_config_list.config:
        if "://" in model.base_path and not model.base_path.startswith("/"):
            raise StartError(
                f"model {model.name}: remote paths such as {model.base_path} are not covered; copy "
                "the folder to this machine and name its absolute path."
            )
        if model.base_path.startswith("/"):  # `check_models` refuses relative paths
            _check(model)


def _check(model: ModelConfig) -> None:
    base = Path(model.base_path)
    name = f"model {model.name}"
    try:
        found = find_versions(base)
    except OSError as error:
        raise StartError(
            f"{name}: the base path {base} cannot be read ({error.strerror}); it is the folder "
            "that holds the numbered version folders."
        ) from error
    aspired = aspired_versions(model, found)
    if not aspired:
        holds = ", ".join(map(str, sorted(found))) or "none"
        raise StartError(
            f"{name}: no version to serve in {base} (versions found: {holds}); a version is a "
            f"folder with a number for a name, such as {base / '1'}."
        )
    if not any((path / graph).is_file() for path in aspired.values() for graph in _GRAPHS):
        paths = ", ".join(str(path) for path in aspired.values())
        raise StartError(f"{name}: {paths} is no SavedModel, it holds no {_GRAPHS[0]}.")
