"""tensorflow.serving.PredictionService."""

from collections.abc import Callable, Mapping
from typing import Any

import grpc
import numpy as np
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)

from vae_tf_serving.core.batching.future_bridge import FutureBridge
from vae_tf_serving.core.batching.task import deadline_after
from vae_tf_serving.core.execution.signature import DEFAULT_KEY
from vae_tf_serving.core.models.manager import ModelManager
from vae_tf_serving.core.requests.classify import (
    classify,
    multi_inference,
    multi_inference_spec,
    regress,
)
from vae_tf_serving.core.requests.predict import check_input_names, find_signature, predict
from vae_tf_serving.event_loop import offload_if
from vae_tf_serving.grpc_api import tensors
from vae_tf_serving.grpc_api.calls import INLINE_BYTES, service
from vae_tf_serving.grpc_api.model_spec import model_spec, resolve, response_field
from vae_tf_serving.grpc_api.wire import field
from vae_tf_serving.metrics import Metrics
from vae_tf_serving.status import Code, StatusError

NAME = "tensorflow.serving.PredictionService"

_OUTPUTS = predict_pb2.PredictResponse.DESCRIPTOR.fields_by_name["outputs"].number
_KEY, _VALUE = 1, 2  # of an entry of a map


class PredictionService:
    """Predict, Classify, Regress, MultiInference and GetModelMetadata.

    Args:
        manager: The models.
        bridge: That of the event loop that runs the calls.
        metrics: Counts the calls; None for no metrics.
        as_content: Whether outputs are written to `tensor_content` instead of the typed fields.
    """

    def __init__(
        self,
        manager: ModelManager,
        bridge: FutureBridge,
        metrics: Metrics | None = None,
        as_content: bool = False,
    ) -> None:
        self._manager = manager
        self._bridge = bridge
        self._metrics = metrics
        self._as_content = as_content

    def handler(self) -> grpc.GenericRpcHandler:
        """Returns the handler that a gRPC server registers."""
        calls = {
            "Predict": (predict_pb2.PredictRequest, self.predict),
            "Classify": (classification_pb2.ClassificationRequest, self.classify),
            "Regress": (regression_pb2.RegressionRequest, self.regress),
            "MultiInference": (inference_pb2.MultiInferenceRequest, self.multi_inference),
            "GetModelMetadata": (get_model_metadata_pb2.GetModelMetadataRequest, self.metadata),
        }
        return service(NAME, calls, self._metrics, counted=("Predict", "Classify", "Regress"))

    async def predict(self, request: predict_pb2.PredictRequest, timeout: float | None) -> bytes:
        """Runs a signature.

        Args:
            request: The request.
            timeout: Seconds; None for no limit.

        Returns:
            A PredictResponse.

        Raises:
            StatusError: As TensorFlow Serving.
        """
        spec, key = request.model_spec, request.model_spec.signature_name
        deadline = deadline_after(timeout)

        handle = resolve(self._manager, model_spec(request)).acquire()
        version = handle.servable.version
        try:
            check_input_names(find_signature(handle.servable, key), request.inputs.keys())
            size = sum(map(tensors.value_bytes, request.inputs.values()))
            inputs = await offload_if(size > INLINE_BYTES, _decode, request.inputs)
        except BaseException:
            handle.release()
            raise
        future = handle.submit(
            lambda servable: predict(
                servable,
                key,
                inputs,
                request.output_filter,
                deadline,
                self._bridge.collector,
            )
        )
        outputs = await self._bridge.wait(future, deadline)
        size = sum(array.nbytes for array in outputs.values())
        written = await offload_if(size > INLINE_BYTES, _encode, outputs, self._as_content)
        return written + response_field(spec.name, version, key or DEFAULT_KEY)

    async def classify(self, request: Any, timeout: float | None) -> bytes:
        """Classifies examples."""
        return await self._run(model_spec(request), classify, request, timeout)

    async def regress(self, request: Any, timeout: float | None) -> bytes:
        """Computes a number for each example."""
        return await self._run(model_spec(request), regress, request, timeout)

    async def multi_inference(self, request: Any, timeout: float | None) -> bytes:
        """Runs several Classify and Regress signatures of one model in one run."""
        return await self._run(multi_inference_spec(request), multi_inference, request, timeout)

    async def metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, timeout: float | None
    ) -> bytes:
        """Returns all signatures of one version; `timeout` is ignored."""
        # Acquired only after the check of metadata_field, as upstream.
        handle = resolve(self._manager, model_spec(request))
        if not request.metadata_field:
            raise StatusError(
                Code.INVALID_ARGUMENT,
                "GetModelMetadataRequest must specify at least one metadata_field",
            )
        for name in request.metadata_field:
            if name != "signature_def":
                raise StatusError(Code.INVALID_ARGUMENT, f"Metadata field {name} is not supported")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        with handle as servable:
            signatures = get_model_metadata_pb2.SignatureDefMap(
                signature_def=servable.meta_graph.signature_def
            )
            response.model_spec.name = request.model_spec.name
            response.model_spec.version.value = servable.version
        response.metadata["signature_def"].Pack(signatures)
        return response.SerializeToString()

    async def _run(
        self,
        spec: model_pb2.ModelSpec | None,
        call: Callable[..., Any],
        request: Any,
        timeout: float | None,
    ) -> bytes:
        deadline = deadline_after(timeout)
        handle = resolve(self._manager, spec).acquire()
        future = handle.submit(lambda servable: call(servable, request, deadline))
        response: Any = await self._bridge.wait(future, deadline)
        return response.SerializeToString()


def _decode(protos: Mapping[str, Any]) -> dict[str, np.ndarray]:
    inputs = {}
    for alias, proto in protos.items():
        try:
            inputs[alias] = tensors.decode(proto)
        except tensors.TensorError:
            raise StatusError(Code.INVALID_ARGUMENT, f"tensor parsing error: {alias}") from None
    return inputs


def _encode(outputs: Mapping[str, np.ndarray], as_content: bool) -> bytes:
    return b"".join(
        field(_OUTPUTS, field(_KEY, alias.encode()) + field(_VALUE, tensors.encode(a, as_content)))
        for alias, a in outputs.items()
    )
