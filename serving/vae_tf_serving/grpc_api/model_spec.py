"""ModelSpec of a request, and of a response."""

from functools import lru_cache
from typing import Any

from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictResponse

from vae_tf_serving.core.models.manager import ModelManager
from vae_tf_serving.core.models.servable_handle import ServableHandle
from vae_tf_serving.grpc_api.wire import field
from vae_tf_serving.status import Code, StatusError

_MODEL_SPEC = PredictResponse.DESCRIPTOR.fields_by_name["model_spec"].number


def model_spec(request: Any) -> ModelSpec | None:
    """Returns the ModelSpec of a request; None if it has none."""
    return request.model_spec if request.HasField("model_spec") else None


def resolve(manager: ModelManager, spec: ModelSpec | None) -> ServableHandle:
    """Returns a handle, not acquired yet, to the version that a ModelSpec names.

    Args:
        manager: The models.
        spec: The request's `model_spec`; None if it has none.

    Raises:
        StatusError: INVALID_ARGUMENT: no ModelSpec, no name or an unknown label. The handle raises
            NOT_FOUND when it is acquired.
    """
    if spec is None:
        raise StatusError(Code.INVALID_ARGUMENT, "Missing ModelSpec")
    if not spec.name:
        raise StatusError(Code.INVALID_ARGUMENT, "ModelSpec has no name specified.")
    chosen = spec.WhichOneof("version_choice")
    if chosen == "version":
        return manager.servable_handle(spec.name, version=spec.version.value)
    if chosen == "version_label":
        return manager.servable_handle(spec.name, label=spec.version_label)
    return manager.servable_handle(spec.name)


@lru_cache(1024)
def response_field(name: str, version: int, signature_name: str) -> bytes:
    """Returns the bytes of the field `model_spec` of a PredictResponse."""
    spec = ModelSpec(name=name, signature_name=signature_name)
    spec.version.value = version
    return field(_MODEL_SPEC, spec.SerializeToString())
