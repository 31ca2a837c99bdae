"""Comparison of a SavedModel, loaded afresh, with the model."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.saved_models.signatures import SignatureTable
from vae_tf.utils.errors import InputError

_ROWS = 3
# Of the largest value of an output: float32 in another order of operations, and half precision.
_TOLERANCE, _HALF_TOLERANCE = 1e-4, 2e-2


def compare(table: SignatureTable, path: Path, half: bool) -> None:
    """Loads the SavedModel and compares each signature with the model, and rows with batches.

    Args:
        table: The signatures of the model that was exported.
        path: The version directory.
        half: Whether the model computes in half precision.

    Raises:
        InputError: if an output differs from the model's, or a row from the same row in a batch.
    """
    served = tf.saved_model.load(str(path)).signatures
    inputs = table.examples(_ROWS)
    for name, signature in table.table().items():
        together = _call(served[name], inputs[name])
        rows = [
            {key: value[row : row + 1] for key, value in inputs[name].items()}
            for row in range(_ROWS)
        ]
        alone = [_call(served[name], row) for row in rows]
        expected = [signature.reference(row) for row in rows]
        for output in expected[0]:
            value = together[output]
            by_model = np.concatenate([np.asarray(row[output]) for row in expected])
            by_row = np.concatenate([row[output] for row in alone])
            _check(name, output, value, by_model, "the model", half)
            _check(name, output, value, by_row, "the same rows one by one", half)


def _call(function: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    outputs = function(**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def _check(
    signature: str, output: str, served: np.ndarray, expected: Any, what: str, half: bool
) -> None:
    expected = np.asarray(expected, np.float32)
    tolerance = (_HALF_TOLERANCE if half else _TOLERANCE) * max(1.0, float(np.abs(expected).max()))
    if served.shape != expected.shape or not np.allclose(served, expected, rtol=0, atol=tolerance):
        far = (
            f"shapes {served.shape} and {expected.shape}"
            if served.shape != expected.shape
            else f"up to {np.abs(served - expected).max():.3g}"
        )
        raise InputError(
            f"The model was not exported: the output {output!r} of the signature {signature!r} differs "
            f"from {what} ({far}); look for a layer that draws by itself, or depends on its batch."
        )
