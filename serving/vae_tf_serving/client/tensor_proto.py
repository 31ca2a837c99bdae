"""Converts NumPy arrays to TensorProtos and back."""

import math

import numpy as np

from vae_tf_serving.client import wire_pb2 as wire
from vae_tf_serving.client.error import ServingError
from vae_tf_serving.client.signature import DATA_TYPES, DTYPE_NAMES

_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "string": "string_val",
}


def to_proto(array: np.ndarray) -> wire.TensorProto:
    """Converts an array of a dtype in `DATA_TYPES`, or of bytes objects, to a TensorProto."""
    name = "string" if array.dtype == object else array.dtype.name
    proto = wire.TensorProto(dtype=wire.DataType.Value(DATA_TYPES[name]))
    proto.tensor_shape.dim.extend(wire.TensorShapeProto.Dim(size=size) for size in array.shape)
    if name == "string":
        proto.string_val.extend(array.flat)
    else:
        proto.tensor_content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return proto


def to_array(proto: wire.TensorProto) -> np.ndarray:
    """Converts a TensorProto with `tensor_content` or typed values to an array.

    If there are fewer values than the shape needs, the last one is repeated, or zeros if there are
    none.

    Raises:
        ServingError: UNIMPLEMENTED: a dtype that NumPy does not have.
    """
    name = dtype_name(proto.dtype)
    if name not in DATA_TYPES:
        raise ServingError("UNIMPLEMENTED", f"The answer has elements of type {name}.")
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    # 16-bit floats are stored as their bits.
    stored = {"float16": "uint16", "bfloat16": "uint16", "string": "object"}.get(name, name)
    if proto.tensor_content:
        little = np.dtype(stored).newbyteorder("<")
        array = np.frombuffer(proto.tensor_content, little).astype(stored)
    else:
        values = getattr(proto, _FIELDS.get(name, "int_val"))
        array = np.array(values, stored)
        lacking = math.prod(shape) - len(array)
        if lacking > 0:
            last = array[-1:] if len(array) else np.array([b"" if name == "string" else 0], stored)
            array = np.concatenate([array, np.repeat(last, lacking)])
    if name == "float16":
        array = array.view(np.float16)
    elif name == "bfloat16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array.reshape(shape)


def dtype_name(number: int) -> str:
    """Returns the name of a DataType as in `DATA_TYPES`; "DT_" and its number if it is unknown."""
    known = wire.DataType.DESCRIPTOR.values_by_number.get(number)
    return DTYPE_NAMES.get(known.name, known.name) if known else f"DT_{number}"
