"""A model behind both protocols, small enough to fail on command. Needs no TensorFlow.

Its signatures are those of a served VAE, and simple enough to know what must come back. It notes how
many rows each request had.
"""

import contextlib
import json
import re
import threading
import time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import numpy as np

from vae_tf_serving.client import wire_pb2 as wire
from vae_tf_serving.client.tensor_proto import to_array, to_proto
from vae_tf_serving.status import Code

LATENT = 3


class FakeModel:
    """Answers `{input: array}` with `{output: array}`, or with the next of `failures`."""

    def __init__(self):
        self.event = (2, 2, 1)
        self.failures = []  # codes, each answered once
        self.rows = []  # of each predict request
        self.versions = []  # that each of them named, None if it named none
        self.version = 1
        self.swaps = 0  # predict requests after each of which another version takes over
        self.lean = False  # whether `sample` answers x alone
        self.garbled = False
        self.described = 0
        self.delay = 0.0

    @property
    def signatures(self):
        x, z = ("DT_FLOAT", (-1, *self.event)), ("DT_FLOAT", (-1, LATENT))
        seed, nats = ("DT_INT64", (-1,)), ("DT_FLOAT", (-1,))
        return {
            "encode": ({"x": x}, {"mean": z, "stddev": z}),
            "decode": ({"z": z}, {"x": x}),
            "sample": ({"seed": seed}, {"x": x} if self.lean else {"x": x, "z": z}),
            "score": ({"x": x, "seed": seed}, {"log_prob": nats, "elbo": nats}),
            "echo": ({"text": ("DT_STRING", (-1, 2))}, {"text_bytes": ("DT_STRING", (-1, 2))}),
        }

    def predict(self, name, inputs, version=None):
        time.sleep(self.delay)
        self.rows.append(len(next(iter(inputs.values()))))
        self.versions.append(version)
        if version not in (None, self.version):
            raise FakeError("NOT_FOUND", f"no version {version}")
        if self.failures:
            raise FakeError(self.failures.pop(0), "told to fail")
        try:
            return getattr(self, name)(**inputs)
        finally:
            self.version += self.swaps > 0
            self.swaps -= self.swaps > 0

    def encode(self, x):
        flat = x.reshape(len(x), -1)[:, :LATENT]
        return {"mean": flat + self.version - 1, "stddev": np.exp(flat)}

    def decode(self, z):
        return {"x": np.repeat(z[:, :1], 4, 1).reshape(len(z), *self.event)}

    def sample(self, seed):
        # Distinct for distinct seeds, which float32 could not be: seeds in three pieces.
        z = np.stack([seed >> 40, (seed >> 20) & 0xFFFFF, seed & 0xFFFFF], 1).astype("float32")
        outputs = {"z": z, **self.decode(z[:, ::-1])}
        return {"x": outputs["x"]} if self.lean else outputs

    def score(self, x, seed):
        return {"log_prob": x.reshape(len(x), -1).sum(1), "elbo": seed.astype("float32")}

    def echo(self, text):
        return {"text_bytes": text}


class FakeLadder(FakeModel):
    """Two latents, and a condition that is added to x."""

    @property
    def signatures(self):
        z = {"z1": ("DT_FLOAT", (-1, LATENT)), "z2": ("DT_FLOAT", (-1, 1))}
        moments = {f"{key}_{part}": z[key] for key in z for part in ("mean", "stddev")}
        x, condition = ("DT_FLOAT", (-1, *self.event)), {"shift": ("DT_FLOAT", (-1,))}
        seed, nats = ("DT_INT64", (-1,)), ("DT_FLOAT", (-1,))
        return {
            "encode": ({"x": x, **condition}, moments),
            "decode": ({**z, **condition}, {"x": x}),
            "sample": ({"seed": seed, **condition}, {"x": x, **z}),
            "reconstruct": ({"x": x, **condition}, {"x": x}),
            "score": ({"x": x, "seed": seed, **condition}, {"log_prob": nats, "elbo": nats}),
        }

    def encode(self, x, shift):
        z1, z2 = x.reshape(len(x), -1)[:, :LATENT], shift[:, None]
        return {"z1_mean": z1, "z1_stddev": z1 + 1, "z2_mean": z2, "z2_stddev": z2 + 1}

    def decode(self, z1, z2, shift):
        return {"x": np.repeat(z1[:, :1] * z2 + shift[:, None], 4, 1).reshape(-1, *self.event)}

    def sample(self, seed, shift):
        z = {"z1": np.stack([seed % 97] * LATENT, 1).astype("float32"), "z2": shift[:, None]}
        return {**z, **self.decode(**z, shift=shift)}

    def reconstruct(self, x, shift):
        return {"x": x + shift[:, None, None, None]}

    def score(self, x, seed, shift):
        return {"log_prob": shift, "elbo": seed.astype("float32")}


class FakeError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = Code[code]


@contextlib.contextmanager
def serve(protocol, model, port=0, **arguments):
    """Gives the address at which `model` is served."""
    start = {"grpc": _serve_grpc, "rest": _serve_rest}[protocol]
    with start(model, port, **arguments) as address:
        yield address


@contextlib.contextmanager
def _serve_grpc(model, port, credentials=None):
    server = grpc.server(futures.ThreadPoolExecutor(4), [_GrpcHandler(model)])
    if credentials:
        port = server.add_secure_port(f"localhost:{port}", credentials)
    else:
        port = server.add_insecure_port(f"localhost:{port}")
    server.start()
    yield f"localhost:{port}"
    server.stop(0).wait()


class _GrpcHandler(grpc.GenericRpcHandler):
    def __init__(self, model):
        self._model = model

    def service(self, details):
        method = getattr(self, details.method.rpartition("/")[2])
        return grpc.unary_unary_rpc_method_handler(
            lambda message, context: self._answer(method, message, context)
        )

    def _answer(self, method, message, context):
        try:
            return method(message).SerializeToString()
        except FakeError as failure:
            context.abort(grpc.StatusCode[failure.code.name], str(failure))

    def Predict(self, message):  # noqa: N802
        request = wire.PredictRequest.FromString(message)
        inputs = {name: to_array(proto) for name, proto in request.inputs.items()}
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        outputs = self._model.predict(spec.signature_name, inputs, version)
        return wire.PredictResponse(outputs={name: to_proto(x) for name, x in outputs.items()})

    def GetModelMetadata(self, message):  # noqa: N802
        self._model.described += 1
        signatures = wire.SignatureDefMap()
        for name, (inputs, outputs) in self._model.signatures.items():
            for side, tensors in {"inputs": inputs, "outputs": outputs}.items():
                for key, (dtype, shape) in tensors.items():
                    info = getattr(signatures.signature_def[name], side)[key]
                    info.dtype = wire.DataType.Value(dtype)
                    for size in shape:
                        info.tensor_shape.dim.add(size=size)
        response = wire.GetModelMetadataResponse(
            model_spec={"name": "vae", "version": {"value": self._model.version}}
        )
        response.metadata["signature_def"].value = signatures.SerializeToString()
        return response

    def GetModelStatus(self, message):  # noqa: N802
        name = wire.GetModelStatusRequest.FromString(message).model_spec.name
        raise FakeError("NOT_FOUND", f"Could not find any versions of model {name}")


@contextlib.contextmanager
def _serve_rest(model, port):
    handler = type("Handler", (_RestHandler,), {"model": model})
    server = ThreadingHTTPServer(("localhost", port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class _RestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        model, *rest = self.path.removeprefix("/v1/models/").split("/")
        if rest[-1:] != ["metadata"]:
            self._answer(404, {"error": f"Could not find any versions of model {model}"})
            return
        self.model.described += 1
        signatures = {
            name: {
                side: {
                    key: {
                        "dtype": dtype,
                        "tensor_shape": {
                            "dim": [{"size": str(size), "name": ""} for size in shape],
                            "unknown_rank": False,
                        },
                        "name": f"{key}:0",
                    }
                    for key, (dtype, shape) in tensors.items()
                }
                for side, tensors in zip(("inputs", "outputs"), sides, strict=True)
            }
            for name, sides in self.model.signatures.items()
        }
        spec = {"name": model, "version": str(self.model.version), "signature_name": ""}
        metadata = {"signature_def": {"signature_def": signatures}}
        self._answer(200, {"model_spec": spec, "metadata": metadata})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["signature_name"]
        types = {"DT_FLOAT": "float32", "DT_INT64": "int64", "DT_STRING": object}
        declared = self.model.signatures[name][0]
        inputs = {key: np.array(v, types[declared[key][0]]) for key, v in body["inputs"].items()}
        pinned = re.search(r"/versions/(\d+):", self.path)
        # Strings come and go as {"b64": ...}, which is all the same to `echo`.
        try:
            outputs = self.model.predict(name, inputs, int(pinned[1]) if pinned else None)
        except FakeError as failure:
            self._answer(failure.code.http, {"error": str(failure)})
            return
        values = {key: array.tolist() for key, array in outputs.items()}
        self._answer(200, {"outputs": values if len(values) > 1 else next(iter(values.values()))})

    def _answer(self, code, body):
        text = json.dumps(body).encode()
        self.send_response(code)
        if self.model.garbled:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(text)))
        with contextlib.suppress(ConnectionError):  # a client whose deadline is over has hung up
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *arguments):
        pass
