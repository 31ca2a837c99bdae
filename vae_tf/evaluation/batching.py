"""Examples in memory, cut into batches of one size, and functions compiled for them."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import tensorflow as tf

from vae_tf.inference.batch import Batch, as_batch
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.training.data_checks import check_shape, check_values
from vae_tf.training.xla_loop import xla_is_faster
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError

# Called with what is being computed, how much of it is done, and how much there is.
Progress: TypeAlias = Callable[[str, int, int], None]

# Floats held at once for a chunk of decoder outputs: 16 MiB, which is faster than more (caches).
_FLOATS = 2**22
# Numbers of decoder outputs from which XLA earns back the seconds it takes to compile.
_XLA_PAYS = 10**9


class Examples(NamedTuple):
    """What is evaluated."""

    batch: Batch  # of arrays; x [N, *event] in the dtype of the model's variables
    y: np.ndarray | None  # [N] labels

    @property
    def x(self) -> np.ndarray:
        """`[N, *event]`."""
        return self.batch.x

    def first(self, count: int) -> "Examples":
        """The first `count` of them."""
        cut = _each(lambda part: part[:count], self.batch)
        return Examples(cut, None if self.y is None else self.y[:count])

    def __len__(self) -> int:
        return len(self.batch.x)


def as_examples(vae: LatentVariableModel, x: Any, y: Any = None, least: int = 1) -> Examples:
    """Checks the examples of an evaluation and holds them in memory.

    Args:
        vae: The model.
        x: Array or tensor `[N, *event]`, or a `tf.data.Dataset` of `x`, `(x,)` or `(x, y, ...)`
            batches.
        y: `[N]` labels, or None for those of the dataset, if it has any.
        least: int. How many examples it takes.

    Raises:
        InputError: for too few examples, another shape, values the likelihood has no density for,
            or another number of labels.
    """
    if isinstance(x, Examples):
        return x
    if isinstance(x, tf.data.Dataset):
        x, labels = _read(x, vae)
        y = labels if y is None else y
    batch = as_batch(x)
    x = tf.convert_to_tensor(batch.x)
    check_shape(x.shape, vae.event_shape, "x")
    count = int(x.shape[0])
    if count == 0:
        raise InputError("x is empty; give at least one example.")
    if count < least:
        raise InputError(
            f"x has {count} example, expected at least {least}: there is no variance over fewer; "
            "give more."
        )
    check_values(x, vae.likelihood, "x", scored=True, dtype=vae.compute_dtype)
    x = tf.cast(x, vae.variable_dtype)
    given = _each(np.asarray, batch._replace(x=x.numpy()))
    if y is not None:
        y = np.asarray(y)
        if y.shape != (count,):
            raise InputError(
                f"y has shape {y.shape}, expected ({count},); give one label for each example of x."
            )
    return Examples(given, y)


def batches(rows: Any, batch_size: int) -> Iterator[tuple[int, Any, int]]:
    """(number, batch, how many of its rows are meant) of each batch of `rows`.

    The last batch is filled up with copies of its last row, so that all have one shape: what is
    compiled for it is compiled once.

    Args:
        rows: An array `[N, ...]`, `Examples`, or a structure of arrays.
        batch_size: int. Rows of each batch.
    """
    rows = rows.batch if isinstance(rows, Examples) else rows
    length = next(len(part) for part in tf.nest.flatten(rows) if part is not None)
    for number, start in enumerate(range(0, length, batch_size)):
        count = min(batch_size, length - start)
        index = np.minimum(np.arange(start, start + batch_size), length - 1)
        yield number, _each(lambda part, index=index: part[index], rows), count


def as_tensors(batch: Any) -> Any:
    """A batch of `batches` as tensors."""
    return _each(tf.constant, batch)


def posterior_moments(
    vae: LatentVariableModel, examples: Examples, batch_size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Mean and standard deviation of the posteriors of each batch of examples, `[B, D]` each.

    The latents of a model that has several stand one after the other.
    """
    run = compiled(vae, vae.packed_moments)
    for _, batch, count in batches(examples, batch_size):
        mean, stddev = run(as_tensors(batch))
        yield mean.numpy()[:count], stddev.numpy()[:count]


def as_batch_size(batch_size: int | None, examples: int, default: int) -> int:
    """`batch_size` or the default, and no more than there are examples.

    Raises:
        InputError: if it is neither None nor an int of at least 1.
    """
    size = default if batch_size is None else as_count("batch_size", batch_size)
    return max(1, min(size, examples))


def latents_at_once(vae: LatentVariableModel) -> int:
    """How many z to decode at once: bounds memory whatever the number of samples."""
    # The density of a mixture prior holds a vector for each component.
    components = getattr(getattr(vae, "prior", None), "num_components", 1)
    return max(1, _FLOATS // max(vae.likelihood.params_size, components * vae.latent_dim))


def compiled(
    vae: LatentVariableModel, function: Callable[..., Any], latents: int = 0
) -> Callable[..., Any]:
    """`function` as a graph, under XLA where that pays.

    Args:
        vae: The model.
        function: Of tensors.
        latents: int. How many z all its calls together decode.
    """
    pays = latents * vae.likelihood.params_size >= _XLA_PAYS and xla_is_faster(vae)
    # AutoGraph would rewrite TFP's sources, which takes longer than most evaluations, and hide an
    # `InputError` in an error of its own.
    return tf.function(function, jit_compile=pays or None, autograph=False)


def _read(
    dataset: tf.data.Dataset, vae: LatentVariableModel
) -> tuple[np.ndarray, np.ndarray | None]:
    xs: list[np.ndarray] = []
    ys: list[np.ndarray] = []
    for element in dataset:
        parts = element if isinstance(element, tuple) else (element,)
        check_shape(parts[0].shape, vae.event_shape, "x")
        xs.append(parts[0].numpy())
        if len(parts) > 1:
            ys.append(parts[1].numpy())
    if not xs:
        raise InputError("x is an empty dataset; give at least one batch.")
    return np.concatenate(xs), np.concatenate(ys) if ys else None


def _each(function: Callable[..., Any], structure: Any) -> Any:
    """`function` of each part of a structure; None stays None."""
    return tf.nest.map_structure(lambda part: None if part is None else function(part), structure)
