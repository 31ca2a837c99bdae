"""Weights stored in bfloat16 or float16 and used in float32."""

import contextlib
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import keras
import tensorflow as tf

from vae_tf.saved_models.exportable import Exportable
from vae_tf.utils.errors import InputError

PRECISIONS = ("float32", "bfloat16", "float16")


Model = TypeVar("Model", bound=Exportable)


class HalfPrecision(Generic[Model]):
    """A copy of a model whose floating weights are rounded, and what to store instead of them.

    Args:
        vae: The model; not changed.
        precision: str. "bfloat16" (as float32, with 3 digits) or "float16" (4 digits, to 65504).

    Attributes:
        vae: Exportable. Computes in float32 with the rounded weights.

    Raises:
        InputError: for another precision, or a weight that is too large for float16.
    """

    def __init__(self, vae: Model, precision: str) -> None:
        if precision not in PRECISIONS[1:]:
            raise InputError(f"precision is one of {', '.join(PRECISIONS)}; got {precision!r}.")
        self.vae = type(vae).from_config(vae.get_config())
        self._stored: list[tuple[Any, tf.Variable]] = []
        for own, weight in zip(self.vae.weights, vae.weights, strict=True):
            if not keras.backend.is_float_dtype(weight.dtype):
                own.assign(weight)
                continue
            half = tf.cast(tf.convert_to_tensor(weight.value), precision)
            if not bool(tf.reduce_all(tf.math.is_finite(half))):
                raise InputError(
                    f"The weight {weight.path} has values that {precision} cannot hold; export with "
                    "bfloat16, or in float32."
                )
            own.assign(tf.cast(half, own.dtype))
            self._stored.append((own, tf.Variable(half, trainable=False)))

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """While a graph is traced in it, the copy reads the stored variables."""
        mapping = [(own, tf.cast(half, own.dtype)) for own, half in self._stored]
        with keras.StatelessScope(state_mapping=mapping):
            yield
