"""Signature of a SavedModel, with its tensor names and default values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

DEFAULT_KEY = "serving_default"


@dataclass(frozen=True)
class Signature:
    """SignatureDef as dictionaries.

    Attributes:
        proto: The SignatureDef.
        inputs: Alias -> tensor name, sorted by alias.
        outputs: Alias -> tensor name, sorted by alias.
        types: Alias of an input -> number of its DataType, sorted by alias.
        defaults: Alias -> value, of the inputs that have a default; None if its proto cannot be
            parsed.
    """

    proto: SignatureDef
    inputs: dict[str, str]
    outputs: dict[str, str]
    types: dict[str, int]
    defaults: dict[str, np.ndarray | None]

    @classmethod
    def from_proto(cls, proto: SignatureDef) -> "Signature":
        """Reads a SignatureDef."""
        return cls(
            proto,
            {alias: info.name for alias, info in sorted(proto.inputs.items())},
            {alias: info.name for alias, info in sorted(proto.outputs.items())},
            {alias: info.dtype for alias, info in sorted(proto.inputs.items())},
            {alias: _value(tensor) for alias, tensor in sorted(proto.defaults.items())},
        )


def _value(tensor: Any) -> np.ndarray | None:
    try:
        return tf.make_ndarray(tensor)
    except (TypeError, ValueError, KeyError):
        return None
