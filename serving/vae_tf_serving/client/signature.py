"""Signatures of a served model, and the check of inputs against them."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from vae_tf_serving.client.error import invalid

# TensorFlow's name -> NumPy's. NumPy has no bfloat16: such tensors are received as float32, and
# cannot be sent.
DTYPE_NAMES = {
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_HALF": "float16",
    "DT_BFLOAT16": "bfloat16",
    "DT_INT8": "int8",
    "DT_INT16": "int16",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_UINT8": "uint8",
    "DT_UINT16": "uint16",
    "DT_UINT32": "uint32",
    "DT_UINT64": "uint64",
    "DT_BOOL": "bool",
    "DT_STRING": "string",
}
DATA_TYPES = {numpy: tensorflow for tensorflow, numpy in DTYPE_NAMES.items()}


def numpy_dtype(name: str) -> np.dtype | None:
    """Returns the NumPy dtype of `name`, a value of `DTYPE_NAMES`; None for other names."""
    if name not in DATA_TYPES:
        return None
    return np.dtype({"string": "object", "bfloat16": "float32"}.get(name, name))


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """Dtype and shape of an input or output.

    Attributes:
        dtype: str. NumPy's name, "string" or "bfloat16"; TensorFlow's name of other types.
        shape: tuple or None. None for any shape; an axis of None has any size.
    """

    dtype: str
    shape: tuple[int | None, ...] | None

    @property
    def array_dtype(self) -> np.dtype | None:
        """Dtype of a NumPy array of the tensor, or None."""
        return numpy_dtype(self.dtype)

    @property
    def row_bytes(self) -> int:
        """Bytes of one row; an axis of unknown size counts as 1."""
        if self.array_dtype is None or self.shape is None:
            return 0
        return self.array_dtype.itemsize * math.prod(size or 1 for size in self.shape[1:])

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.dtype} of any shape"
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"{self.dtype} ({sizes})"


@dataclasses.dataclass(frozen=True)
class Signature:
    """Inputs and outputs by name; the server has default values for `optional` inputs."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    optional: frozenset[str] = frozenset()

    def arrays(self, name: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Converts `inputs` to arrays of the dtypes of this signature, whose name is `name`.

        Raises:
            ServingError: INVALID_ARGUMENT: a missing or unknown input, or another shape or kind.
        """
        unknown = sorted(inputs.keys() - self.inputs.keys())
        missing = sorted(self.inputs.keys() - inputs.keys() - self.optional)
        if unknown or missing:
            given = ", ".join(sorted(inputs)) or "none"
            wanted = ", ".join(sorted(self.inputs)) or "none"
            raise invalid(f"Signature {name!r} takes the inputs {wanted}; given were {given}.")
        return {
            key: _array(f"Input {key!r} of signature {name!r}", value, self.inputs[key])
            for key, value in inputs.items()
        }


def _array(what: str, value: Any, info: TensorInfo) -> np.ndarray:
    wanted = info.array_dtype
    if wanted is None or info.dtype == "bfloat16":
        raise invalid(f"{what} is of type {info.dtype}, which this client cannot send.")
    lists_of_text = info.dtype == "string" and not isinstance(value, np.ndarray)
    try:  # as objects, because NumPy's strings lose trailing zero bytes
        array = np.asarray(value, object if lists_of_text else None)
    except ValueError:
        raise invalid(f"{what} is ragged, expected {info}.") from None
    if info.dtype == "string":
        array = _strings(what, array)
    elif not _fits(array, wanted):
        raise invalid(f"{what} has elements of type {array.dtype}, expected {info}.")
    if not _matches(array.shape, info.shape):
        hint = ""
        if info.shape and info.shape[0] is None and _matches(array.shape, info.shape[1:]):
            hint = "; for one example, add the first axis: value[None]"
        shape = ", ".join(map(str, array.shape))
        raise invalid(f"{what} has the shape ({shape}), expected {info}{hint}.")
    return np.ascontiguousarray(array, wanted) if array.ndim else array.astype(wanted)


def _fits(array: np.ndarray, wanted: np.dtype) -> bool:
    """Returns whether `wanted` can hold the elements of `array`, up to the precision of floats."""
    if array.dtype.kind in "iu" and wanted.kind in "iu" and array.size:
        bounds = np.iinfo(wanted)
        return bounds.min <= int(array.min()) and int(array.max()) <= bounds.max
    return np.can_cast(array.dtype, wanted, "same_kind")


def _matches(shape: tuple[int, ...], wanted: tuple[int | None, ...] | None) -> bool:
    if wanted is None:
        return True
    return len(shape) == len(wanted) and all(
        size is None or size == own for own, size in zip(shape, wanted, strict=True)
    )


def _strings(what: str, array: np.ndarray) -> np.ndarray:
    """Converts each element to bytes, text as UTF-8."""
    flat = [element.encode() if isinstance(element, str) else element for element in array.flat]
    if not all(isinstance(element, bytes) for element in flat):
        raise invalid(f"{what} has elements of type {array.dtype}, expected strings or bytes.")
    strings = np.empty(len(flat), object)
    strings[:] = flat
    return strings.reshape(array.shape)
