"""Echo servers of the HTTP and gRPC stacks: they send a stored response of the right size."""

import asyncio
import json
from typing import Any

import grpc
import uvicorn
from peer import columns, peer

from vae_tf_serving.client import wire_pb2 as wire
from vae_tf_serving.client.tensor_proto import to_proto

ME = peer()
ANSWERS: dict[str, bytes] = {}


async def app(scope: dict, receive: Any, send: Any) -> None:
    """ASGI application."""
    while (await receive()).get("more_body"):
        pass
    text = ANSWERS[scope["path"]]
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


class Handler(grpc.GenericRpcHandler):
    """gRPC handler of raw bytes."""

    def service(self, details: Any) -> Any:
        """Handles every method."""

        async def answer(request: bytes, context: Any) -> bytes:
            return ANSWERS[details.method]

        return grpc.unary_unary_rpc_method_handler(answer)


async def main() -> None:
    """Serves both protocols until it is terminated."""
    for workload in ME.workloads():
        inputs = {"signature_name": workload.signature, "inputs": columns(workload)}
        ME.write_json(workload, f"/{workload.name}", inputs)
        outputs = {name: array.tolist() for name, array in workload.expected.items()}
        ANSWERS[f"/{workload.name}"] = json.dumps({"outputs": outputs}).encode()
        tensors = {name: to_proto(array) for name, array in workload.inputs.items()}
        request = wire.PredictRequest(inputs=tensors).SerializeToString()
        ME.write("grpc", workload, f"/echo/{workload.name}", request)
        tensors = {name: to_proto(array) for name, array in workload.expected.items()}
        response = wire.PredictResponse(outputs=tensors).SerializeToString()
        ANSWERS[f"/echo/{workload.name}"] = response
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([Handler()])
    server.add_insecure_port(f"127.0.0.1:{ME.grpc_port}")
    await server.start()
    await uvicorn.Server(uvicorn.Config(app, port=ME.http_port, log_level="error")).serve()


if __name__ == "__main__":
    asyncio.run(main())
