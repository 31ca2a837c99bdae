"""Large gRPC messages: right, and handled where the other calls need not wait for them."""

import threading

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from vae_tf_serving.grpc_api import calls, tensors

LARGE = 300_000


@pytest.fixture
def where(embedded, monkeypatch):
    """Names of the threads in which each kind of work is done."""
    found = {"_parse": set(), "decode": set(), "encode": set()}

    def watch(module, name):
        function = getattr(module, name)

        def watched(*arguments):
            found[name].add(threading.current_thread().name)
            return function(*arguments)

        monkeypatch.setattr(module, name, watched)

    watch(calls, "_parse")
    watch(tensors, "decode")
    watch(tensors, "encode")
    return found


def echo(prediction, values):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "plus_two", "echo"
    request.inputs["x"].dtype = 1
    request.inputs["x"].tensor_shape.dim.add(size=len(values))
    request.inputs["x"].float_val.extend(values)
    return tf.make_ndarray(prediction.Predict(request, timeout=60).outputs["y"])


def test_large_messages_are_handled_in_a_thread(where, prediction):
    values = np.arange(LARGE, dtype=np.float32)
    np.testing.assert_array_equal(echo(prediction, values), values)
    assert all(threads and "grpc" not in threads for threads in where.values()), where


def test_small_ones_in_it(where, prediction):
    assert echo(prediction, [1.5]).tolist() == [1.5]
    assert all(threads == {"grpc"} for threads in where.values()), where


@pytest.mark.parametrize(
    "dtype", ["float32", "int64", "uint8", "uint64", "float16", "bool", "complex64"]
)
def test_many_values_of_each_field(dtype):
    values = (np.arange(LARGE) % 2000).astype(dtype)
    proto = tensor_pb2.TensorProto.FromString(tensors.encode(values))
    assert tensors.value_bytes(proto) >= values.nbytes
    for found in (tensors.decode(proto), tf.make_ndarray(proto)):
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values)
