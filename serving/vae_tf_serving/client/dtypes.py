"""TensorFlow's names of element types, and NumPy's."""

import numpy as np

# bfloat16 has no NumPy type: such tensors are received as float32, and cannot be sent.
NAMES = {
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
DATA_TYPES = {numpy: tensorflow for tensorflow, numpy in NAMES.items()}


def numpy_dtype(name: str) -> np.dtype | None:
    """The NumPy type that holds elements of `name`, a value of `NAMES`; None for any other."""
    if name not in DATA_TYPES:
        return None
    return np.dtype({"string": "object", "bfloat16": "float32"}.get(name, name))
