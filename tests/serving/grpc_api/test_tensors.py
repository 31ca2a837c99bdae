"""TensorProtos by buffers, against TensorFlow's own conversions."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensorflow.core.framework import tensor_pb2

from vae_tf_serving.grpc_api import tensors
from vae_tf_serving.grpc_api.wire import field, varint

DTYPES = [
    "float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
    "uint64", "bool", "complex64", "complex128",
]  # fmt: skip

arrays = st.sampled_from(DTYPES).flatmap(
    lambda name: hnp.arrays(name, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)


@settings(max_examples=150, deadline=None)
@given(arrays, st.booleans())
def test_what_is_written_tensorflow_reads(array, as_content):
    proto = tensor_pb2.TensorProto.FromString(tensors.encode(array, as_content))
    assert bool(proto.tensor_content) == (as_content and array.size > 0)
    for found in (tf.make_ndarray(proto), tensors.decode(proto)):
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found, array)


@settings(max_examples=50, deadline=None)
@given(arrays)
def test_what_tensorflow_writes_is_read(array):
    np.testing.assert_array_equal(tensors.decode(tf.make_tensor_proto(array)), array)


def test_views_and_bfloat16():
    base = np.arange(24, dtype=np.float32).reshape(4, 6)
    for array in (base[::2, 1:], base.T, base.astype(tf.bfloat16.as_numpy_dtype)):
        proto = tensor_pb2.TensorProto.FromString(tensors.encode(array))
        np.testing.assert_array_equal(tensors.decode(proto), array)
        np.testing.assert_array_equal(tf.make_ndarray(proto), array)


@given(st.lists(st.binary(max_size=300), max_size=5))
@settings(max_examples=50, deadline=None)
def test_strings(texts):
    array = np.empty(len(texts), object)
    array[:] = texts
    proto = tensor_pb2.TensorProto.FromString(tensors.encode(array))
    assert list(proto.string_val) == texts
    proto = tensor_pb2.TensorProto(dtype=7, tensor_shape=proto.tensor_shape)
    proto.tensor_content = b"".join(varint(len(text)) for text in texts) + b"".join(texts)
    assert tensors.decode(proto).tolist() == (texts if proto.tensor_content else [b""] * len(texts))


def test_short_lists_are_filled_up_within_bounds():
    def proto(size, **values):
        found = tensor_pb2.TensorProto(**values)
        found.tensor_shape.dim.add(size=size)
        return found

    assert tensors.decode(proto(3, dtype=3, int_val=[7, 8])).tolist() == [7, 8, 8]
    assert tensors.decode(proto(2, dtype=10)).tolist() == [False, False]
    assert tensors.decode(proto(2, dtype=7)).tolist() == [b"", b""]
    with pytest.raises(tensors.TensorError):
        tensors.decode(proto(1 << 40, dtype=1, float_val=[1.0]))


@given(st.integers(0, 2**64 - 1))
def test_varint(number):
    digits = varint(number)
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(digits)) == number
    assert [byte > 0x7F for byte in digits] == [True] * (len(digits) - 1) + [False]


def test_field_is_protobufs_own():
    text = tensor_pb2.TensorProto(tensor_content=b"a" * 300).SerializeToString()
    assert field(4, b"a" * 300) == text
