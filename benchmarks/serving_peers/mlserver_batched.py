"""MLServer with its adaptive batching, REST and gRPC of the V2 inference protocol."""

import json
import os
import sys
from pathlib import Path

import mlserver
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

MODEL = "BENCHMARK_MODEL"
DATATYPES = {"float32": "FP32", "int64": "INT64"}


class SignatureModel(mlserver.MLModel):
    """One signature, which is its name."""

    async def load(self) -> bool:
        """Loads the SavedModel."""
        import tensorflow as tf

        self.constant = tf.constant
        self.function = tf.saved_model.load(os.environ[MODEL]).signatures[self.name]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answers a batch."""
        arrays = {tensor.name: NumpyCodec.decode_input(tensor) for tensor in payload.inputs}
        # The V2 protocol wants a second axis even where the signature has one.
        tensors = {
            name: self.constant(x[:, 0] if name == "seed" else x) for name, x in arrays.items()
        }
        outputs = self.function(**tensors)
        return InferenceResponse(
            model_name=self.name,
            outputs=[
                NumpyCodec.encode_output(name, value.numpy()) for name, value in outputs.items()
            ],
        )


def main() -> None:
    """Becomes `mlserver start`."""
    from mlserver.grpc.converters import ModelInferRequestConverter
    from peer import peer

    me = peer()
    folder = me.requests / "mlserver"
    for workload in me.workloads():
        name = workload.signature
        tensors = []
        for key, array in workload.inputs.items():
            array = array.reshape(len(array), -1) if array.ndim == 1 else array
            kind = DATATYPES[str(array.dtype)]
            data = array.ravel().tolist()
            tensors.append({"name": key, "shape": array.shape, "datatype": kind, "data": data})
        me.write_json(workload, f"/v2/models/{name}/infer", {"inputs": tensors})
        message = ModelInferRequestConverter.from_types(
            InferenceRequest(inputs=tensors), model_name=name
        )
        path = "/inference.GRPCInferenceService/ModelInfer"
        me.write("grpc", workload, path, message.SerializeToString())
        (folder / name).mkdir(parents=True, exist_ok=True)
        settings = {
            "name": name,
            "implementation": "mlserver_batched.SignatureModel",
            "max_batch_size": 64,
            "max_batch_time": 0.002,
        }
        (folder / name / "model-settings.json").write_text(json.dumps(settings))
    settings = {
        "http_port": me.http_port,
        "grpc_port": me.grpc_port,
        "metrics_endpoint": None,
        "host": "127.0.0.1",
        "parallel_workers": 0,
        "debug": False,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    os.environ[MODEL] = str(me.model)
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    mlserver_binary = str(Path(sys.executable).with_name("mlserver"))
    os.execv(mlserver_binary, [mlserver_binary, "start", str(folder)])


if __name__ == "__main__":
    main()
