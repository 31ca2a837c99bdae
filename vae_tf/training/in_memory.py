"""Data in memory, of whatever class, as arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.utils.errors import InputError


def is_in_memory(x: Any) -> bool:
    """Whether x is data in memory, and not something to read batches from."""
    arrays = (Mapping, list, tuple, tf.Tensor, tf.Variable, tf.SparseTensor, tf.RaggedTensor)
    # A sparse matrix of SciPy has `toarray`; everything else that NumPy reads has `__array__`.
    return isinstance(x, arrays) or hasattr(x, "__array__") or hasattr(x, "toarray")


def in_memory(batch: Batch, what: str) -> Batch:
    """The batch with arrays of NumPy or tensors as parts, in the dtypes that they have.

    Raises:
        InputError: for a part that is no dense array, and for x, weight or mask that are no numbers.
    """
    parts: dict[str, Any] = {}
    for name, part in batch._asdict().items():
        if isinstance(part, Mapping):
            parts[name] = {key: _array(one, f"{name} {key!r}", what) for key, one in part.items()}
        elif part is not None:
            parts[name] = _array(part, name, what)
    for name in ("x", "weight", "mask"):
        if name in parts and not _is_numeric(parts[name]):
            raise InputError(
                f"{what} has {name} of type {_dtype(parts[name])}, expected numbers; convert it, for "
                "example by astype('float32')."
            )
    return Batch(**parts)


def _array(part: Any, name: str, what: str) -> np.ndarray | tf.Tensor:
    if isinstance(part, tf.SparseTensor | tf.RaggedTensor) or hasattr(part, "toarray"):
        raise InputError(
            f"{what} has {name} of class {type(part).__name__}, expected a dense array; convert it."
        )
    if isinstance(part, tf.Variable):
        return tf.convert_to_tensor(part)
    if isinstance(part, np.ndarray | tf.Tensor):
        return part
    try:
        return np.asarray(part)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{what} has {name} of class {type(part).__name__}, which NumPy cannot read as an array "
            f"({error}); give an array."
        ) from error


def _is_numeric(part: np.ndarray | tf.Tensor) -> bool:
    dtype = part.dtype if isinstance(part, tf.Tensor) else None
    if dtype is None:
        return part.dtype.kind in "biuf" or part.dtype.name == "bfloat16"
    return dtype.is_floating or dtype.is_integer or dtype.is_bool


def _dtype(part: np.ndarray | tf.Tensor) -> str:
    return part.dtype.name
