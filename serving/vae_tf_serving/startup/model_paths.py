"""What can be seen to be wrong with a model before anything is loaded."""

from pathlib import Path

from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from vae_tf_serving.core.models.version_policy import find_versions, wanted_versions
from vae_tf_serving.startup.start_error import StartError

_GRAPHS = ("saved_model.pb", "saved_model.pbtxt")


def check_base_paths(config: ModelServerConfig) -> None:
    """Looks whether every model has a version to load.

    TensorFlow Serving waits for ever for a model that is not there, and retries for minutes to load
    a folder that is no SavedModel. At the start somebody is watching, and is told at once.

    Raises:
        StartError: A model that has none, or that lies elsewhere.
    """
    for model in config.model_config_list.config:
        if "://" in model.base_path and not model.base_path.startswith("/"):
            raise StartError(
                f"model {model.name}: remote paths such as {model.base_path} are not covered; copy "
                "the folder to this machine and name its absolute path."
            )
        if model.base_path.startswith("/"):  # what is relative is refused elsewhere
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
    wanted = wanted_versions(model, found)
    if not wanted:
        holds = ", ".join(map(str, sorted(found))) or "none"
        raise StartError(
            f"{name}: no version to serve in {base} (versions found: {holds}); a version is a "
            f"folder with a number for a name, such as {base / '1'}."
        )
    if not any((path / graph).is_file() for path in wanted.values() for graph in _GRAPHS):
        paths = ", ".join(str(path) for path in wanted.values())
        raise StartError(f"{name}: {paths} is no SavedModel, it holds no {_GRAPHS[0]}.")
