"""Checks of a ModelServerConfig."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tensorflow_serving.config import model_server_config_pb2

from vae_tf_serving.status import Code, StatusError, invalid_argument

_PLATFORM = "tensorflow"
Labels = dict[str, dict[str, int]]


def check_models(models: Any, old_models: Any = ()) -> None:
    """Checks the ModelConfigs of a new list against each other and against the old list.

    Raises:
        StatusError: INVALID_ARGUMENT, with TensorFlow Serving's message.
    """
    names: set[str] = set()
    for model in models:
        if model.name in names:
            raise invalid_argument(
                f"Illegal to list model {model.name} multiple times in config list"
            )
        names.add(model.name)
    for model in models:
        if not model.base_path.startswith("/") and "://" not in model.base_path:
            raise invalid_argument(
                f"Expected model {model.name} to have an absolute path or URI; got "
                f"base_path()={model.base_path}"
            )
    old = {model.name: _platform(model) for model in old_models}
    for model in models:
        platform = _platform(model)
        if model.name in old and platform != old[model.name]:
            raise invalid_argument(
                f"Illegal to change a model's platform. For model {model.name} platform was "
                f"{old[model.name]} and new platform requested is {platform}"
            )
    for model in models:
        if _platform(model) != _PLATFORM:
            raise invalid_argument(
                f"Model {model.name} requests unsupported platform {_platform(model)}"
            )


def check_paths(models: Iterable[Any]) -> None:
    """Checks that the base paths of ModelConfigs exist.

    Raises:
        StatusError: NOT_FOUND.
    """
    for model in models:
        if not Path(model.base_path).is_dir():
            raise StatusError(
                Code.NOT_FOUND,
                f"Could not find base path {model.base_path} for servable {model.name}",
            )


def check_labels(
    models: Any,
    old: Labels,
    is_available: Callable[[str, int], bool],
    allow_unavailable: bool,
) -> Labels:
    """Returns the labels of `models`, after a check that their versions are available.

    Args:
        models: ModelConfigs.
        old: The current labels: model -> label -> version.
        is_available: Returns whether a version of a model is available.
        allow_unavailable: Whether a new label may be given to a version that is not available. A
            label that moves from another version may not.

    Raises:
        StatusError: FAILED_PRECONDITION.
    """
    labels: Labels = {}
    for model in models:
        for label, version in model.version_labels.items():
            moves = old.get(model.name, {}).get(label, version) != version
            if not is_available(model.name, version) and (moves or not allow_unavailable):
                raise StatusError(
                    Code.FAILED_PRECONDITION,
                    f"Request to assign label to version {version} of model {model.name}, which "
                    "is not currently available for inference",
                )
            labels.setdefault(model.name, {})[label] = version
    return labels


def single_model(name: str, base_path: str) -> model_server_config_pb2.ModelServerConfig:
    """Makes the configuration of `--model_name` and `--model_base_path`."""
    config = model_server_config_pb2.ModelServerConfig()
    config.model_config_list.config.add(name=name, base_path=base_path, model_platform=_PLATFORM)
    return config


def _platform(model: Any) -> str:
    if model.model_type:
        if model.model_platform:
            raise invalid_argument(
                "Illegal setting both ModelServerConfig::model_type (deprecated) and "
                f"ModelServerConfig::model_platform, model name is {model.name}"
            )
        if model.model_type != model_server_config_pb2.TENSORFLOW:
            raise invalid_argument(
                f"ModelServerConfig::model_type choice {model.model_type} not supported."
            )
        return _PLATFORM
    if not model.model_platform:
        raise invalid_argument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            f"ModelServerConfig::model_platform, model name is {model.name}"
        )
    return model.model_platform
