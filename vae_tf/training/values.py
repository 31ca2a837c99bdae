"""Which values the parts of a batch may have, eagerly and in the graph of a data pipeline."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.layers.base import (
    DistributionLayer,
    in_interval,
    interval_text,
)


class Rules(NamedTuple):
    """What is asked of the values of a batch.

    Attributes:
        likelihood: The layer that x is an observation of.
        what: What to call the data in an error.
        takes: Which of "condition" and "label" the model or the objective takes.
        scored: Whether x must be in the support, because p(x) is asked for. Otherwise x is only read,
            and the mean of an observation, which may lie between those possible, is as good.
        dtype: Name of the dtype that the networks compute in.
    """

    likelihood: DistributionLayer
    what: str
    takes: frozenset[str] = frozenset()
    scored: bool = True
    dtype: str = "float32"


class Verdict(NamedTuple):
    """What is found of a part of a batch.

    Attributes:
        ok: bool scalar. Whether it is right.
        sentence: Gives a string scalar that says what is wrong.
        cheap: Whether the sentence takes less time than a branch around it.
    """

    ok: tf.Tensor
    sentence: Callable[[], tf.Tensor]
    cheap: bool = False


def verdicts(batch: Batch, rules: Rules) -> Iterator[Verdict]:
    """The verdicts on x, weight, condition and mask, in the dtypes that they came in."""
    yield from _x_verdicts(_observed(batch), rules)
    if batch.weight is not None:
        weight = _floating(batch.weight)
        ok = (weight >= 0) & tf.math.is_finite(weight)
        needs = "expected finite ones of at least 0"
        yield _verdict(ok, weight, rules, "sample weights", needs, "give 0 to leave an example out")
    for part in tf.nest.flatten(batch.condition):
        if part is not None and tf.as_dtype(part.dtype).is_floating:
            part = tf.convert_to_tensor(part)
            needs = f"expected finite values that {rules.dtype} can hold"
            ok = _readable(part, rules.dtype)
            yield _verdict(ok, part, rules, "conditions", needs, "clean or rescale them")
    if batch.mask is not None:
        mask = _floating(batch.mask)
        ok = (mask == 0) | (mask == 1)
        needs = "expected 1 where x was observed, else 0"
        yield _verdict(ok, mask, rules, "masks", needs, "make them so")


def _x_verdicts(x: tf.Tensor, rules: Rules) -> Iterator[Verdict]:
    """The verdicts on the values of x."""
    likelihood, x = rules.likelihood, _floating(x)
    name = type(likelihood).__name__
    remedy = "clean or rescale the data, or choose another likelihood"
    if rules.scored and not likelihood.supports_interval:
        ok = likelihood.in_support(x) & tf.math.is_finite(x)
        needs = f"where {name} needs {likelihood.support_text}"
        yield _verdict(ok, x, rules, "values", needs, remedy)
    else:
        support = likelihood.support
        needs = f"where {name} needs {interval_text(support)}"

        # Two reductions, where a verdict on each value is six passes over each batch of training.
        low, high = tf.reduce_min(x), tf.reduce_max(x)
        ends = [in_interval(end, support) & tf.math.is_finite(end) for end in (low, high)]

        def sentence() -> tf.Tensor:
            found = tf.where(ends[0], high, low)
            return _sentence(rules, "values", needs, remedy, (low, high, found))

        yield Verdict(ends[0] & ends[1], sentence, cheap=True)
    largest = tf.as_dtype(rules.dtype).max
    if largest < x.dtype.max:
        but = f"but the networks compute in {rules.dtype}, which ends at {largest:g}"
        remedy = "rescale the data, or choose another dtype policy"
        yield _verdict(_readable(x, rules.dtype), x, rules, "values", but, remedy)


def _verdict(
    ok: tf.Tensor, values: tf.Tensor, rules: Rules, part: str, needs: str, remedy: str
) -> Verdict:
    def sentence() -> tf.Tensor:
        wrong = tf.boolean_mask(values, ~tf.broadcast_to(ok, tf.shape(values)))
        numbers = (tf.reduce_min(values), tf.reduce_max(values), wrong[0])
        return _sentence(rules, part, needs, remedy, numbers)

    return Verdict(tf.reduce_all(ok), sentence)


def _sentence(
    rules: Rules, part: str, needs: str, remedy: str, numbers: tuple[tf.Tensor, ...]
) -> tf.Tensor:
    return tf.strings.format(
        f"{rules.what} has {part} from {{}} to {{}}, {needs} (found {{}}); {remedy}.", numbers
    )


def _readable(x: tf.Tensor, dtype: str) -> tf.Tensor:
    """Whether x is finite and stays so in `dtype`."""
    largest = min(tf.as_dtype(dtype).max, x.dtype.max)
    return tf.abs(x) <= tf.cast(largest, x.dtype)


def _floating(x: Any) -> tf.Tensor:
    """X as floats that hold every value that it has, or nearly so for 64-bit integers."""
    x = tf.convert_to_tensor(x)
    if x.dtype.is_floating:
        return x
    return tf.cast(x, tf.float32 if x.dtype.size <= 2 else tf.float64)


def _observed(batch: Batch) -> tf.Tensor:
    """x, with 0 where the mask says that nothing was observed."""
    x = tf.convert_to_tensor(batch.x)
    if batch.mask is None:
        return x
    return tf.where(tf.cast(batch.mask, tf.bool), x, tf.zeros_like(x))
