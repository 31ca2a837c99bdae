"""Serializes arrays and messages as the JSON of a response."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from vae_tf_serving.status import invalid_argument

_NUMPY = orjson.OPT_SERIALIZE_NUMPY
_NULL = b"null"  # `orjson` writes it for NaN and Infinity


def predictions(outputs: Mapping[str, np.ndarray]) -> bytes:
    """Serializes the row format: `{"predictions": [one element per row]}`.

    An element is the value of a lone output, or an object of several outputs.

    Args:
        outputs: At least one, with first axes of the same length.

    Raises:
        StatusError: INVALID_ARGUMENT: a scalar, unequal first axes, or a dtype that JSON cannot
            represent.
    """
    rows: int | None = None
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid_argument(f"Tensor name: {name} has no shape information ")
        if rows is not None and len(array) != rows:
            raise invalid_argument(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {rows}"
            )
        rows = len(array)
    if len(outputs) == 1:
        ((name, array),) = outputs.items()
        return b"".join((b'{\n    "predictions": ', _array(name, array), b"\n}"))
    if all(_is_plain(array) for array in outputs.values()):
        rows_of_values = zip(*outputs.values(), strict=True)
        objects = [dict(zip(outputs, row, strict=True)) for row in rows_of_values]
        text = orjson.dumps(objects, option=_NUMPY)
        if _NULL not in text:
            return b'{\n    "predictions": ' + text + b"\n}"
    elements = [
        _object({name: _array(name, array[row, ...]) for name, array in outputs.items()})
        for row in range(rows or 0)
    ]
    return b'{\n    "predictions": [' + b",".join(elements) + b"]\n}"


def columns(outputs: Mapping[str, np.ndarray]) -> bytes:
    """Serializes the columnar format: `{"outputs": value}`, or an object of several values.

    Raises:
        StatusError: INVALID_ARGUMENT: a dtype that JSON cannot represent.
    """
    parts = {name: _array(name, array) for name, array in outputs.items()}
    value = next(iter(parts.values())) if len(parts) == 1 else _object(parts)
    return b"".join((b'{\n    "outputs": ', value, b"\n}"))


def error(message: str) -> bytes:
    """Serializes an error."""
    text = message.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return b'{\n    "error": ' + orjson.dumps(text) + b"\n}"


def results(values: Any) -> bytes:
    """Serializes the response to classify or regress: `{"results": [...]}`."""
    return b'{\n    "results": ' + json.dumps(values, ensure_ascii=False).encode() + b"\n}"


def message(value: Any) -> bytes:
    """Serializes a protobuf message, converted to a dict, with an indent of two spaces."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"


def shortest(value: float) -> float:
    """Returns the double with the fewest digits that rounds to the same float32."""
    return float(str(np.float32(value)))


def decimal(value: float) -> str:
    """Formats a float with the fewest digits that round to it, or as NaN or Infinity."""
    return json.dumps(value)


def _array(name: str, array: np.ndarray) -> bytes:
    if _is_plain(array):
        text = _numbers(array)
        if b"n" not in text:  # the first letter of null: faster than a search for the word
            return text
    if array.dtype.kind in "OSU":
        return _strings(array.tolist(), name.endswith("_bytes"))
    if _is_number(array.dtype):  # empty, or not all finite
        return json.dumps(array.tolist(), separators=(",", ":")).encode()
    type_name = "half" if array.dtype == np.float16 else array.dtype.name
    raise invalid_argument(f"Failed to write JSON value for tensor type: {type_name}")


def _numbers(array: np.ndarray) -> bytes:
    if array.ndim > 1 and array.shape[-1] == 1:
        # Images of one channel: `orjson` is three times as fast without lists of one number.
        return b"".join((b"[", _numbers(array[..., 0]).replace(b",", b"],["), b"]"))
    value = np.ascontiguousarray(array) if array.ndim else array[()]
    return orjson.dumps(value, option=_NUMPY)


def _is_plain(array: np.ndarray) -> bool:
    """Returns whether `orjson` can write the array; it writes null for NaN and Infinity."""
    return _is_number(array.dtype) and array.size > 0


def _is_number(dtype: np.dtype) -> bool:
    """Returns whether JSON can represent the dtype, as upstream chose."""
    if dtype.kind == "f":
        return dtype.itemsize >= 4
    return dtype.kind in "iub" and dtype != np.uint16


def _strings(value: Any, as_base64: bool) -> bytes:
    """Serializes nested lists of bytes; their depth is the rank, which NumPy limits."""
    if isinstance(value, list):
        return b"[" + b",".join(_strings(element, as_base64) for element in value) + b"]"
    text: bytes = value if isinstance(value, bytes) else str(value).encode()
    if as_base64:
        return b'{"b64":"' + base64.b64encode(text) + b'"}'
    try:
        return orjson.dumps(text.decode())
    except UnicodeDecodeError:  # passed through, as upstream does
        escaped = json.dumps(text.decode("latin-1"), ensure_ascii=False)
        return escaped.encode("latin-1")


def _object(parts: Mapping[str, bytes]) -> bytes:
    return b"{" + b",".join(orjson.dumps(k) + b":" + v for k, v in parts.items()) + b"}"
