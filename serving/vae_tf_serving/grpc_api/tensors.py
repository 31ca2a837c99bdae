"""Converts TensorProtos to arrays and back, by buffers."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from vae_tf_serving.grpc_api.wire import field, varint

_LARGEST_FILL = 64 << 20
"""Maximum bytes to which a short list of values is padded; upstream has no limit."""

_CHUNK = 64 << 10
"""Values that are converted in one call; other threads can run between two calls."""

_MAX_RANK = 64  # of a NumPy array
_BFLOAT16 = tf.bfloat16.as_numpy_dtype


class TensorError(ValueError):
    """Invalid TensorProto."""


class _Type:
    """Encoding of one DataType in a TensorProto.

    Args:
        number: Number of the DataType.
        dtype: NumPy's dtype.
        name: Name of the field of typed values.
    """

    def __init__(self, number: int, dtype: Any, name: str) -> None:
        self.number, self.dtype, self.name = number, np.dtype(dtype), name
        self.tag = tensor_pb2.TensorProto.DESCRIPTOR.fields_by_name[name].number
        self.head = b"\x08" + varint(number)

    def decode(self, proto: tensor_pb2.TensorProto) -> np.ndarray:
        """Returns the typed values that were sent, on one axis."""
        values = getattr(proto, self.name)
        if self.name == "half_val":
            return _as_array(values, np.int32).astype(np.uint16).view(self.dtype)
        if self.dtype.kind == "c":
            parts = _as_array(values, self.dtype.type(0).real.dtype)
            if len(parts) % 2:
                raise TensorError
            return parts.view(self.dtype)
        if self.name == "int_val":
            return _as_array(values, np.int32).astype(self.dtype)
        return _as_array(values, self.dtype)

    def encode(self, array: np.ndarray) -> bytes:
        """Returns the field of typed values, tag included."""
        if self.name in ("float_val", "double_val", "scomplex_val", "dcomplex_val", "bool_val"):
            return field(self.tag, np.ascontiguousarray(array).tobytes())
        if self.name == "half_val":
            array = np.ascontiguousarray(array).view(np.uint16)
        flat = array.ravel()
        # The chunks of a packed field are concatenated on parsing; each chunk is one call into C.
        return b"".join(
            tensor_pb2.TensorProto(
                **{self.name: flat[start : start + _CHUNK].tolist()}
            ).SerializeToString()
            for start in range(0, len(flat), _CHUNK)
        )


class _Strings(_Type):
    def decode(self, proto: tensor_pb2.TensorProto) -> np.ndarray:
        array = np.empty(len(proto.string_val), object)
        array[:] = proto.string_val
        return array

    def encode(self, array: np.ndarray) -> bytes:
        return b"".join(field(self.tag, _bytes(value)) for value in array.ravel().tolist())


_TYPES: dict[int, _Type] = {
    t.number: t
    for t in (
        _Type(types_pb2.DT_FLOAT, np.float32, "float_val"),
        _Type(types_pb2.DT_DOUBLE, np.float64, "double_val"),
        _Type(types_pb2.DT_INT32, np.int32, "int_val"),
        _Type(types_pb2.DT_UINT8, np.uint8, "int_val"),
        _Type(types_pb2.DT_INT16, np.int16, "int_val"),
        _Type(types_pb2.DT_INT8, np.int8, "int_val"),
        _Type(types_pb2.DT_UINT16, np.uint16, "int_val"),
        _Strings(types_pb2.DT_STRING, object, "string_val"),
        _Type(types_pb2.DT_COMPLEX64, np.complex64, "scomplex_val"),
        _Type(types_pb2.DT_COMPLEX128, np.complex128, "dcomplex_val"),
        _Type(types_pb2.DT_INT64, np.int64, "int64_val"),
        _Type(types_pb2.DT_BOOL, np.bool_, "bool_val"),
        _Type(types_pb2.DT_HALF, np.float16, "half_val"),
        _Type(types_pb2.DT_BFLOAT16, _BFLOAT16, "half_val"),
        _Type(types_pb2.DT_UINT32, np.uint32, "uint32_val"),
        _Type(types_pb2.DT_UINT64, np.uint64, "uint64_val"),
    )
}
_BY_DTYPE = {t.dtype: t for t in _TYPES.values()}


def decode(proto: tensor_pb2.TensorProto) -> np.ndarray:
    """Converts a TensorProto to an array, which is read-only if it shares the message's bytes.

    Follows `tensorflow::Tensor::FromProto`. Values are read from `tensor_content`, whose size must
    match, or from the typed field: if it has too few values, the last one is repeated (zeros if it
    is empty), and if it has too many, the rest is dropped.

    Raises:
        TensorError: No dtype, a dtype without values, an invalid shape, or a wrong size.
    """
    kind = _TYPES.get(proto.dtype)
    if kind is None:
        raise TensorError
    shape = _shape(proto)
    size = math.prod(shape)
    if size == 0:
        return np.empty(shape, kind.dtype)
    if content := proto.tensor_content:  # each access copies it
        return _content(content, kind, size).reshape(shape)
    values = kind.decode(proto)
    if len(values) < size:
        if size * kind.dtype.itemsize > _LARGEST_FILL:
            raise TensorError
        empty: Any = b"" if kind.dtype == object else kind.dtype.type(0)
        filled = np.full(size, values[-1] if len(values) else empty, kind.dtype)
        filled[: len(values)] = values
        values = filled
    return values[:size].reshape(shape)


def value_bytes(proto: tensor_pb2.TensorProto) -> int:
    """Estimates the bytes of the values that `decode` converts; 0 if it would refuse the dtype."""
    kind = _TYPES.get(proto.dtype)
    if kind is None:
        return 0
    declared = math.prod([dim.size for dim in proto.tensor_shape.dim])
    return kind.dtype.itemsize * max(declared, len(getattr(proto, kind.name)))


def encode(array: np.ndarray, as_content: bool = False) -> bytes:
    """Converts an array to the bytes of a TensorProto message.

    Args:
        array: Of a dtype that TensorFlow has.
        as_content: Whether numbers are written to `tensor_content` instead of the typed field.
    """
    kind = _BY_DTYPE[object if array.dtype.kind in "SU" else array.dtype]
    head = kind.head + _shape_field(array.shape)
    if array.size == 0:
        return head
    if as_content and kind.dtype != object:
        return head + field(4, np.ascontiguousarray(array).tobytes())
    return head + kind.encode(array)


@lru_cache(1024)
def _shape_field(shape: tuple[int, ...]) -> bytes:
    return field(2, b"".join(field(2, b"\x08" + varint(n) if n else b"") for n in shape))


def _as_array(values: Any, dtype: Any) -> np.ndarray:
    if len(values) <= _CHUNK:
        return np.array(values, dtype)
    array = np.empty(len(values), dtype)
    for start in range(0, len(values), _CHUNK):
        array[start : start + _CHUNK] = values[start : start + _CHUNK]
    return array


def _shape(proto: tensor_pb2.TensorProto) -> tuple[int, ...]:
    shape = proto.tensor_shape
    dims = [dim.size for dim in shape.dim]
    if shape.unknown_rank or len(dims) > _MAX_RANK or min(dims, default=0) < 0:
        raise TensorError
    if math.prod([dim for dim in dims if dim]) >= 2**48:  # also if another axis is empty
        raise TensorError
    return tuple(dims)


def _content(content: bytes, kind: _Type, size: int) -> np.ndarray:
    if kind.dtype == object:
        return _string_content(content, size)
    if len(content) != size * kind.dtype.itemsize:
        raise TensorError
    if kind.dtype == np.bool_:
        return np.frombuffer(content, np.uint8) != 0
    return np.frombuffer(content, kind.dtype)


def _string_content(content: bytes, size: int) -> np.ndarray:
    """Reads strings from `tensor_content`: first all lengths as varints, then all bytes."""
    if len(content) < size:
        raise TensorError
    lengths, at = [], 0
    for _ in range(size):
        length, shift = 0, 0
        while True:
            if at >= len(content) or shift > 28:
                raise TensorError
            byte = content[at]
            at += 1
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
        lengths.append(length)
    if at + sum(lengths) != len(content):
        raise TensorError
    array = np.empty(size, object)
    for index, length in enumerate(lengths):
        array[index] = content[at : at + length]
        at += length
    return array


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
