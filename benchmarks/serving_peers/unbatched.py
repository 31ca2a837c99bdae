"""Unbatched server of the same model and protocols, in about 60 lines."""

import asyncio
from concurrent import futures
from typing import Any

import grpc
import orjson
import tensorflow as tf
import uvicorn
from peer import columns, peer
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

ME = peer()
SIGNATURES = tf.saved_model.load(ME.model).signatures
PATH, SERVICE = "/v1/models/vae:predict", "tensorflow.serving.PredictionService"


def call(signature: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Runs a signature on NumPy arrays or lists."""
    function = SIGNATURES[signature]
    types = {spec.name: spec.dtype for spec in function.structured_input_signature[1].values()}
    tensors = {name: tf.constant(value, types[name]) for name, value in inputs.items()}
    return {name: value.numpy() for name, value in function(**tensors).items()}


async def app(scope: dict, receive: Any, send: Any) -> None:
    """REST API as an ASGI application."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    request = orjson.loads(body)
    answer = await asyncio.get_running_loop().run_in_executor(
        None, call, request["signature_name"], request["inputs"]
    )
    text = orjson.dumps({"outputs": answer}, option=orjson.OPT_SERIALIZE_NUMPY)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The gRPC API."""

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        """One request."""
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        response = predict_pb2.PredictResponse()
        for name, value in call(request.model_spec.signature_name, inputs).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response


if __name__ == "__main__":
    for work in ME.workloads():
        ME.write_json(work, PATH, {"signature_name": work.signature, "inputs": columns(work)})
        spec = {"name": "vae", "signature_name": work.signature}
        message = predict_pb2.PredictRequest(model_spec=spec)
        for key, array in work.inputs.items():
            message.inputs[key].CopyFrom(tf.make_tensor_proto(array))
        ME.write("grpc", work, f"/{SERVICE}/Predict", message.SerializeToString())
    server = grpc.server(futures.ThreadPoolExecutor(8))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    server.add_insecure_port(f"127.0.0.1:{ME.grpc_port}")
    server.start()
    uvicorn.run(app, port=ME.http_port, log_level="error")
