"""Malformed requests over gRPC: a documented code for each, and a server that lives on."""

import contextlib
import socket

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    predict_pb2,
)

from tests.serving.rest.test_malformed import damaged

QUICK = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SLOW = settings(QUICK, max_examples=10_000)
DOCUMENTED = {
    "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED"
}  # fmt: skip
SERVICE = "/tensorflow.serving.PredictionService/"
MODEL_SERVICE = "/tensorflow.serving.ModelService/"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def predict_bytes(signature, **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "plus_two"
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request.SerializeToString()


def examples_bytes(request, spec):
    spec.name, spec.signature_name = "plus_two", "classify"
    example = request.input.example_list_with_context.examples.add()
    example.features.feature["x"].float_list.value.append(1.0)
    return request.SerializeToString()


def others():
    classify = classification_pb2.ClassificationRequest()
    yield f"{SERVICE}Classify", examples_bytes(classify, classify.model_spec)
    multi = inference_pb2.MultiInferenceRequest()
    task = multi.tasks.add(method_name="tensorflow/serving/classify")
    yield f"{SERVICE}MultiInference", examples_bytes(multi, task.model_spec)
    metadata = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    metadata.model_spec.name = "vae"
    yield f"{SERVICE}GetModelMetadata", metadata.SerializeToString()
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "vae"
    yield f"{MODEL_SERVICE}GetModelStatus", status.SerializeToString()


X = np.float32([[1.0], [2.0]])
SEEDS = [
    predict_bytes("", x=X),
    predict_bytes("add", a=X[0], b=X[1]),
    predict_bytes("echo_text", s=[b"a", b"b"]),
    predict_bytes("matmul", x=np.ones([1, 4], np.float32)),
]
calls = st.tuples(st.just(f"{SERVICE}Predict"), damaged(SEEDS) | st.binary(max_size=40)) | (
    st.sampled_from(list(others())).flatmap(
        lambda other: st.tuples(st.just(other[0]), damaged([other[1]]))
    )
)


@st.composite
def odd_tensors(draw):
    """Predict requests whose TensorProtos mix types, shapes and values."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = draw(st.sampled_from(["plus_two", "plus_two", "vae", "m"]))
    request.model_spec.signature_name = draw(st.sampled_from(["", "add", "echo_text", "types"]))
    names = draw(st.sets(st.sampled_from(["x", "a", "b", "s", "f64", "text"]), max_size=3))
    small = st.integers(-2, 9)
    for name in names:
        proto = request.inputs[name]
        proto.dtype = draw(st.integers(0, 130))
        for size in draw(st.lists(small | st.integers(-(2**63), 2**63 - 1), max_size=3)):
            proto.tensor_shape.dim.add(size=size)
        proto.tensor_shape.unknown_rank = draw(st.integers(0, 9)) == 0
        proto.tensor_content = draw(st.sampled_from([b"", b"\0" * 4, b"\xff" * 7, b"a" * 16]))
        proto.float_val.extend(draw(st.lists(st.floats(width=32), max_size=3)))
        proto.int_val.extend(draw(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3)))
        proto.string_val.extend(draw(st.lists(st.binary(max_size=3), max_size=3)))
        proto.half_val.extend(draw(st.lists(st.integers(-9, 99999), max_size=3)))
        proto.scomplex_val.extend(draw(st.lists(st.floats(width=32), max_size=3)))
    request.output_filter.extend(draw(st.lists(st.sampled_from(["y", "total", "z"]), max_size=2)))
    return f"{SERVICE}Predict", request.SerializeToString()


def check_call(channel, call):
    path, data = call
    failed = channel.unary_unary(path).future(data, timeout=20).exception()
    if failed is not None:
        assert failed.code().name in DOCUMENTED, (failed.code(), failed.details(), call)
        assert "Traceback" not in failed.details()


def check_alive(prediction):
    response = prediction.Predict(predict_pb2.PredictRequest.FromString(SEEDS[0]), timeout=20)
    assert list(response.outputs["y"].float_val) == [3.5, 4.0]


def check_raw(address, data):
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    with connection as sock, contextlib.suppress(ConnectionError):
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass


raw = st.binary(max_size=100) | st.builds(
    lambda length, kind, flags, rest: PREFACE + bytes([0, 0, length, kind, flags]) + rest,
    st.integers(0, 40), st.integers(0, 12), st.integers(0, 255), st.binary(max_size=60),
)  # fmt: skip


class TestQuick:
    @QUICK
    @given(calls | odd_tensors())
    def test_messages(self, channel, prediction, no_errors_logged, call):
        check_call(channel, call)
        check_alive(prediction)

    @QUICK
    @given(raw)
    def test_raw_bytes(self, server, prediction, no_errors_logged, data):
        check_raw(server.grpc, data)
        check_alive(prediction)


@pytest.mark.slow
class TestSlow:
    @SLOW
    @given(calls | odd_tensors())
    def test_messages(self, channel, no_errors_logged, call):
        check_call(channel, call)

    @SLOW
    @given(raw)
    def test_raw_bytes(self, server, no_errors_logged, data):
        check_raw(server.grpc, data)

    def test_alive(self, prediction):
        check_alive(prediction)
