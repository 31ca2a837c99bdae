"""A SignatureDef in the form that requests need it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

DEFAULT_KEY = "serving_default"


@dataclass(frozen=True)
class Signature:
    """Aliases and tensor names of one signature.

    Attributes:
        proto: The SignatureDef.
        inputs: Alias -> tensor name, by alias.
        outputs: Alias -> tensor name, by alias.
        types: Alias of an input -> number of its DataType, by alias.
        defaults: Alias -> value of the inputs that may be left out; None where the proto does not
            parse.
    """

    proto: SignatureDef
    inputs: dict[str, str]
    outputs: dict[str, str]
    types: dict[str, int]
    defaults: dict[str, np.ndarray | None]

    @classmethod
    def from_proto(cls, proto: SignatureDef) -> "Signature":
        """The signature that `proto` describes."""
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
