"""gRPC protocol: messages of TensorFlow Serving."""

from collections.abc import Mapping

import numpy as np

from vae_tf_serving.client import wire_pb2 as wire
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.protocol import SIGNATURES, Call, Protocol
from vae_tf_serving.client.results import Metadata, VersionStatus
from vae_tf_serving.client.signature import Signature, TensorInfo
from vae_tf_serving.client.tensor_proto import dtype_name, to_array, to_proto
from vae_tf_serving.status import Code

_PREDICTION = "/tensorflow.serving.PredictionService/"
_MODEL = "/tensorflow.serving.ModelService/"


class GrpcProtocol(Protocol):
    """Writes and reads the messages of PredictionService and ModelService."""

    growth = 1

    def __init__(self, options: Options) -> None:
        self._options = options

    def predict(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], version: int | None = None
    ) -> Call:
        """See `Protocol`."""
        request = wire.PredictRequest(
            model_spec=self._spec(signature_name, version),
            inputs={name: to_proto(array) for name, array in inputs.items()},
        )
        return Call(_PREDICTION + "Predict", request.SerializeToString())

    def outputs(self, response: bytes, signature: Signature) -> dict[str, np.ndarray]:
        """See `Protocol`."""
        outputs = wire.PredictResponse.FromString(response).outputs
        return {name: to_array(proto) for name, proto in outputs.items()}

    def status(self) -> Call:
        """See `Protocol`."""
        request = wire.GetModelStatusRequest(model_spec=self._spec())
        return Call(_MODEL + "GetModelStatus", request.SerializeToString())

    def version_statuses(self, response: bytes) -> list[VersionStatus]:
        """See `Protocol`."""
        state = wire.ModelVersionStatus.State.Name
        return [
            VersionStatus(
                version.version,
                state(version.state),
                Code(version.status.error_code).name,
                version.status.error_message,
            )
            for version in wire.GetModelStatusResponse.FromString(response).model_version_status
        ]

    def describe(self) -> Call:
        """See `Protocol`."""
        request = wire.GetModelMetadataRequest(model_spec=self._spec(), metadata_field=[SIGNATURES])
        return Call(_PREDICTION + "GetModelMetadata", request.SerializeToString())

    def metadata(self, response: bytes) -> Metadata:
        """See `Protocol`."""
        message = wire.GetModelMetadataResponse.FromString(response)
        # The Any names a message of TensorFlow; wire.proto has an equal one.
        packed = message.metadata[SIGNATURES].value
        signatures = wire.SignatureDefMap.FromString(packed).signature_def
        return Metadata(
            message.model_spec.name,
            message.model_spec.version.value,
            {name: _signature(proto) for name, proto in sorted(signatures.items())},
        )

    def _spec(self, signature_name: str = "", version: int | None = None) -> wire.ModelSpec:
        options = self._options
        spec = wire.ModelSpec(name=options.model_name, signature_name=signature_name)
        version = options.version if version is None else version
        if version is not None:
            spec.version.value = version
        elif options.label is not None:
            spec.version_label = options.label
        return spec


def _signature(proto: wire.SignatureDef) -> Signature:
    return Signature(
        {name: _info(info) for name, info in sorted(proto.inputs.items())},
        {name: _info(info) for name, info in sorted(proto.outputs.items())},
        frozenset(proto.defaults),
    )


def _info(proto: wire.TensorInfo) -> TensorInfo:
    shape = proto.tensor_shape
    sizes = tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
    return TensorInfo(dtype_name(proto.dtype), None if shape.unknown_rank else sizes)
