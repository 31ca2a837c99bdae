"""The clients' own messages are TensorFlow Serving's, and need no TensorFlow."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vae_tf_serving.client import tensor_proto
from vae_tf_serving.client import wire_pb2 as wire
from vae_tf_serving.client.grpc_protocol import GrpcProtocol
from vae_tf_serving.client.options import Options

SERVING = Path(__file__).parents[3] / "serving"

# Imports and makes both kinds of client with nothing but what a slim environment holds.
SLIM = """
import sys, time
start = time.process_time()
import numpy, orjson
libraries = time.process_time()
blocked = ("tensorflow", "tensorflow_serving", "keras", "vae_tf", "matplotlib", "lazy_loader",
           "prometheus_client", "uvicorn", "typer", "requests")
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ImportError(f"blocked: {name}")
sys.meta_path.insert(0, Block())
import vae_tf_serving
assert "grpc" not in sys.modules and "httpx" not in sys.modules
vae_tf_serving.Client("localhost:1")
assert "httpx" not in sys.modules
vae_tf_serving.AsyncClient("localhost:1")
vae_tf_serving.Client("http://localhost:1")
vae_tf_serving.AsyncClient("http://localhost:1")
print(time.process_time() - libraries)
"""


def test_slim_import():
    result = subprocess.run(
        [sys.executable, "-c", SLIM],
        env={"PYTHONPATH": str(SERVING)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) < 1  # seconds of CPU; a quarter of it is usual


@pytest.fixture(scope="module")
def apis():
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        get_model_status_pb2,
        predict_pb2,
    )

    return [predict_pb2, get_model_status_pb2, get_model_metadata_pb2]


MESSAGES = [
    "PredictRequest",
    "PredictResponse",
    "GetModelStatusRequest",
    "GetModelStatusResponse",
    "GetModelMetadataRequest",
    "GetModelMetadataResponse",
    "SignatureDefMap",
]


def _real(apis, name):
    return next(getattr(module, name) for module in apis if hasattr(module, name))


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_is_the_real_one(apis, name):
    def compare(own, real):
        for field in own.fields:
            twin = real.fields_by_number[field.number]
            assert (twin.name, twin.is_repeated) == (field.name, field.is_repeated)
            # An enum travels like the integer that stands for it here.
            assert twin.type == field.type or {twin.type, field.type} == {twin.TYPE_ENUM, 5}
            if field.enum_type:
                for value in field.enum_type.values:
                    assert twin.enum_type.values_by_number[value.number].name == value.name
            if field.message_type:
                compare(field.message_type, twin.message_type)

    compare(getattr(wire, name).DESCRIPTOR, _real(apis, name).DESCRIPTOR)


# TensorFlow writes one element, and bfloat16 and strings of any number, into a typed field and all
# else into `tensor_content`; TensorFlow Serving writes everything into the typed field.
TYPED = {
    "float32": "float_val",
    "float64": "double_val",
    "float16": "half_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
} | dict.fromkeys(["int8", "int16", "int32", "uint8", "uint16"], "int_val")


@pytest.mark.parametrize("dtype", TYPED)
def test_tensors(dtype):
    import tensorflow as tf

    array = np.random.default_rng(0).integers(0, 100, (2, 3, 4)).astype(dtype)
    for sent in (array, array[0, 0, 0], array[:0], array.transpose(2, 0, 1)):
        np.testing.assert_array_equal(tf.make_ndarray(_real_tensor(sent)), sent)
        written = tf.make_tensor_proto(sent)
        _assert_read(written, sent)
        written.ClearField("tensor_content")
        bits = sent.view("uint16") if dtype == "float16" else sent
        getattr(written, TYPED[dtype])[:] = bits.ravel().tolist()
        _assert_read(written, sent)
    seven = np.array(7, dtype)
    filled = tf.make_tensor_proto(seven.item(), dtype, [2, 2])
    _assert_read(filled, np.full((2, 2), seven))
    filled.ClearField(TYPED[dtype])
    _assert_read(filled, np.zeros((2, 2), dtype))


def test_strings_and_bfloat16():
    import tensorflow as tf

    text = np.array([[b"a", b"\xff\x00"]], object)
    np.testing.assert_array_equal(tf.make_ndarray(_real_tensor(text)), text)
    _assert_read(tf.make_tensor_proto(text), text)
    numbers = tf.constant([[1.5, -2.0, 3e30]], tf.bfloat16)
    _assert_read(tf.make_tensor_proto(numbers), tf.cast(numbers, tf.float32).numpy())


def _real_tensor(array):
    from tensorflow.core.framework.tensor_pb2 import TensorProto

    return TensorProto.FromString(tensor_proto.to_proto(array).SerializeToString())


def _assert_read(real, expected):
    own = wire.TensorProto.FromString(real.SerializeToString())
    read = tensor_proto.to_array(own)
    assert (read.dtype, read.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(read, expected)


def test_a_request_as_the_server_reads_it(apis):
    import tensorflow as tf

    protocol = GrpcProtocol(Options("localhost:1", version=3))
    x = np.ones((2, 3), "float32")
    request = _real(apis, "PredictRequest").FromString(protocol.predict("decode", {"z": x}).body)
    assert request.model_spec.name == "vae"
    assert request.model_spec.version.value == 3
    assert request.model_spec.signature_name == "decode"
    np.testing.assert_array_equal(tf.make_ndarray(request.inputs["z"]), x)
    labelled = GrpcProtocol(Options("localhost:1", label="stable")).status().body
    spec = _real(apis, "GetModelStatusRequest").FromString(labelled).model_spec
    assert spec.version_label == "stable"
    assert not spec.HasField("version")
