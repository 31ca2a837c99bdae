"""Converts a single JSON value to an element of a tensor."""

import binascii
import re
from typing import Any

import numpy as np
from tensorflow.core.framework import types_pb2 as types

from vae_tf_serving.rest.json_echo import echo, type_name
from vae_tf_serving.status import Code, StatusError, invalid_argument

FLOATS: dict[int, type] = {types.DT_FLOAT: np.float32, types.DT_DOUBLE: np.float64}
_INT32 = (-(2**31), 2**31 - 1)
INTEGERS: dict[int, tuple[type, tuple[int, int]]] = {
    types.DT_INT8: (np.int8, _INT32),  # the number must fit int32, and is truncated then
    types.DT_INT16: (np.int16, _INT32),
    types.DT_UINT8: (np.uint8, _INT32),
    types.DT_INT32: (np.int32, _INT32),
    types.DT_INT64: (np.int64, (-(2**63), 2**63 - 1)),
    types.DT_UINT32: (np.uint32, (0, 2**32 - 1)),
    types.DT_UINT64: (np.uint64, (0, 2**64 - 1)),
}
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def leaf(value: Any, dtype: int) -> Any:
    """Converts `value` to a Python value for `to_array`.

    Raises:
        StatusError: INVALID_ARGUMENT: the JSON type does not match `dtype`, a DataType;
            UNIMPLEMENTED: JSON cannot represent the DataType.
    """
    if isinstance(value, dict):
        if dtype == types.DT_STRING:
            return decode_base64(value)
        raise _wrong_type(value, dtype)
    if dtype == types.DT_STRING:
        if isinstance(value, str):
            return value.encode("utf-8", "surrogateescape")
    elif dtype == types.DT_BOOL:
        if isinstance(value, bool):
            return value
    elif dtype in FLOATS:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    elif dtype in INTEGERS:
        low, high = INTEGERS[dtype][1]
        if type(value) is int and low <= value <= high:
            return value
    else:
        raise StatusError(
            Code.UNIMPLEMENTED,
            f"Conversion of JSON Value: {echo(value)} to type: {type_of(dtype)}",
        )
    raise _wrong_type(value, dtype)


def to_array(values: list, shape: tuple[int, ...], dtype: int) -> np.ndarray:
    """Makes an array of the results of `leaf`; integers of 8 and 16 bits are truncated."""
    if dtype in FLOATS:
        with np.errstate(over="ignore"):
            return np.array(values, np.float64).astype(FLOATS[dtype]).reshape(shape)
    if dtype in INTEGERS:
        kind = INTEGERS[dtype][0]
        wide = np.uint64 if kind is np.uint64 else np.int64
        return np.array(values, wide).astype(kind).reshape(shape)
    if dtype == types.DT_BOOL:
        return np.array(values, np.bool_).reshape(shape)
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def decode_base64(value: dict) -> bytes:
    """Decodes `{"b64": "..."}`; white space and missing padding are allowed.

    Raises:
        StatusError: INVALID_ARGUMENT: another object, or invalid base64.
    """
    if not is_base64(value):
        raise invalid_argument(f"JSON Value: {echo(value)} not formatted correctly for base64 data")
    text = "".join(value["b64"].split())
    if not _BASE64.fullmatch(text):
        raise invalid_argument("Unable to base64 decode")
    text = text.rstrip("=")
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise invalid_argument("Unable to base64 decode") from None


def type_of(dtype: int) -> str:
    """Returns upstream's name of a DataType: float, double, half, int64, ..."""
    return types.DataType.Name(dtype).removeprefix("DT_").lower()


def is_base64(value: Any) -> bool:
    """Returns whether `value` is an object whose only key is `b64`, with a string."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _wrong_type(value: Any, dtype: int) -> StatusError:
    return invalid_argument(
        f"JSON Value: {echo(value)} Type: {type_name(value)} "
        f"is not of expected type: {type_of(dtype)}"
    )
