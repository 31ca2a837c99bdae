"""Signatures of Classify and Regress, and the conversion of their outputs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow_serving.apis.classification_pb2 import ClassificationResult
from tensorflow_serving.apis.regression_pb2 import RegressionResult

from vae_tf_serving.core.execution.signature import Signature
from vae_tf_serving.status import invalid_argument

_INPUTS, _CLASSES, _SCORES, _OUTPUTS = "inputs", "classes", "scores", "outputs"

Finish = Callable[[dict[str, np.ndarray], int], Any]
"""Converts tensor name -> output, and the number of examples, to a result."""


def classification(signature: Signature) -> tuple[str, list[str], Finish]:
    """Returns the input tensor, the output tensors and the converter of a Classify signature.

    The names and the number of inputs and outputs are checked, not the method name.

    Raises:
        StatusError: INVALID_ARGUMENT: not a signature of this form.
    """
    proto = signature.proto
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if len(signature.outputs) not in (1, 2):
        raise invalid_argument(
            f"Expected one or two output Tensors, found {len(signature.outputs)}"
        )
    if _INPUTS not in signature.inputs:
        raise invalid_argument(f"No classification inputs found in SignatureDef: {proto}")
    names = {
        alias: signature.outputs[alias]
        for alias in (_CLASSES, _SCORES)
        if alias in signature.outputs
    }
    if not names:
        raise invalid_argument(
            "Expected classification signature outputs to contain at least one of "
            f'"{_CLASSES}" or "{_SCORES}". Signature was: {proto}'
        )

    def finish(values: dict[str, np.ndarray], count: int) -> Any:
        classes = values[names[_CLASSES]] if _CLASSES in names else None
        scores = values[names[_SCORES]] if _SCORES in names else None
        for alias, value, dtype in (
            (_CLASSES, classes, np.dtype(object)),
            (_SCORES, scores, np.dtype(np.float32)),
        ):
            if value is not None:
                _check_classes(alias, value, dtype, count)
        return _classifications(classes, scores, count)

    return signature.inputs[_INPUTS], list(names.values()), finish


def _check_classes(alias: str, value: np.ndarray, dtype: np.dtype, count: int) -> None:
    if value.ndim != 2:
        raise invalid_argument(
            f"Expected Tensor shape: [batch_size num_classes] but got {_shape(value)}"
        )
    if value.dtype != dtype:
        raise invalid_argument(
            f"Expected {alias} Tensor of {_dtype_name(dtype)}. Got: {_dtype_name(value.dtype)}"
        )
    if value.shape[0] != count:
        raise invalid_argument(
            f"Expected {alias} output batch size of {count}. Got: {value.shape[0]}"
        )


def _classifications(classes: np.ndarray | None, scores: np.ndarray | None, count: int) -> Any:
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid_argument(
            "Tensors class and score should match in dim_size(1). Got "
            f"{classes.shape[1]} vs. {scores.shape[1]}"
        )
    result = ClassificationResult()
    for row in range(count):
        added = result.classifications.add()
        labels = [] if classes is None else classes[row]
        values = [] if scores is None else scores[row].tolist()
        for column in range(max(len(labels), len(values))):
            made = added.classes.add()
            if classes is not None:
                made.label = labels[column]
            if scores is not None:
                made.score = values[column]
    return result


def regression(signature: Signature) -> tuple[str, list[str], Finish]:
    """Returns the input tensor, the output tensor and the converter of a Regress signature.

    Raises:
        StatusError: INVALID_ARGUMENT: not a signature of this form.
    """
    proto = signature.proto
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if len(signature.outputs) != 1:
        raise invalid_argument("Expected one output Tensor.")
    if _INPUTS not in signature.inputs:
        raise invalid_argument(f"No regression inputs found in SignatureDef: {proto}")
    if _OUTPUTS not in signature.outputs:
        raise invalid_argument(f"No regression outputs found in SignatureDef: {proto}")
    name = signature.outputs[_OUTPUTS]

    def finish(values: dict[str, np.ndarray], count: int) -> Any:
        value = values[name]
        if value.ndim != 1 and not (value.ndim == 2 and value.shape[1] == 1):
            raise invalid_argument(
                "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but "
                f"got {_shape(value)}"
            )
        if value.shape[0] != count:
            raise invalid_argument(
                f"Input batch size did not match output batch size: {count} vs. {value.shape[0]}"
            )
        if value.dtype != np.float32:
            raise invalid_argument(
                f"Expected output Tensor of DT_FLOAT.  Got: {_dtype_name(value.dtype)}"
            )
        result = RegressionResult()
        for number in value.ravel().tolist():
            result.regressions.add(value=number)
        return result

    return signature.inputs[_INPUTS], [name], finish


def _shape(value: np.ndarray) -> str:
    return f"[{','.join(map(str, value.shape))}]"


def _dtype_name(dtype: np.dtype) -> str:
    return DataType.Name(tf.as_dtype(dtype).as_datatype_enum)
