"""The steps of an execution as one XLA program, for training on a CPU."""

from collections.abc import Callable
from itertools import groupby, islice
from typing import Any

import keras
import tensorflow as tf

from vae_tf.training.exact_steps import Batches

Logs = dict[str, tf.Tensor]

_TOGETHER = 16  # batches in memory at a time, however long an execution is
_CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


def looped(
    train_step: Callable[[Any], Any], logs: Callable[[], Logs], steps: int
) -> Callable[[Any], Logs]:
    """What `keras.Model.fit` calls for each execution, with the loop over its steps inside XLA.

    Keras compiles one step and loops around it, so that each step pays for handing every variable
    to XLA and back. The steps, their order and their draws are the same.

    Args:
        train_step: Takes a batch and changes variables.
        logs: What to report, from the metrics.
        steps: int. Batches of an execution at most.

    Returns:
        A function of an iterator of batches, which are structures of dense tensors. It raises
        StopIteration where there are none left.
    """

    @tf.function(jit_compile=True, reduce_retracing=True)
    def run(stacked: Any, count: tf.Tensor) -> Logs:
        for number in tf.range(count):
            train_step(_batch(stacked, number))
        return logs()

    size = min(steps, _TOGETHER)

    def execute(iterator: Any) -> Logs:
        reported = None
        ahead = islice(iterator, steps)
        while batches := list(islice(ahead, size)):
            for _, alike in groupby(batches, _shapes):
                reported = run(*_stacked(list(alike), size))
        if reported is None:
            raise StopIteration
        return reported

    return execute


def can_be_looped(iterator: Any) -> bool:
    """Whether an iterator gives structures of dense tensors."""
    if isinstance(iterator, Batches):
        return all(isinstance(part, tf.Tensor) for part in tf.nest.flatten(iterator.batches))
    return isinstance(iterator, tf.data.Iterator) and all(
        isinstance(spec, tf.TensorSpec) for spec in tf.nest.flatten(iterator.element_spec)
    )


def xla_is_faster(model: keras.Model) -> bool:
    """Whether XLA is expected to pay on a CPU: measured by `benchmarks/training.py`."""
    layers = list(model._flatten_layers())
    convolves = any(isinstance(layer, _CONVOLUTIONS) for layer in layers)
    return not convolves and model.dtype_policy.compute_dtype == "float32"


def _stacked(batches: list[Any], size: int) -> tuple[Any, tf.Tensor]:
    """Batches of one shape along a new first axis, filled up to `size`, and their number.

    XLA recompiles for each shape, so the number of batches is passed as a tensor.
    """
    filled = [*batches, *[batches[-1]] * (size - len(batches))]
    return tf.nest.map_structure(lambda *b: tf.stack(b), *filled), tf.constant(len(batches))


def _batch(stacked: Any, number: tf.Tensor) -> Any:
    return tf.nest.map_structure(lambda batches: batches[number], stacked)


def _shapes(batch: Any) -> tuple[tf.TensorShape, ...]:
    return tuple(tensor.shape for tensor in tf.nest.flatten(batch))
