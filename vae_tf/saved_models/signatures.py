"""The table of signatures of an exported model: what is written, compared and described reads it."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.inference.choices import draw_p, draw_p_by_row, given
from vae_tf.inference.elbo import elbo_terms
from vae_tf.inference.rows import by_row
from vae_tf.inference.trace import Choose, Trace
from vae_tf.saved_models.exportable import Exportable
from vae_tf.utils.seeds import as_seed, fold_in, two_words

DEFAULT = "serving_default"

Tensors: TypeAlias = dict[str, Any]
Scope: TypeAlias = Callable[[], AbstractContextManager[Any]]


class Signature(NamedTuple):
    """One signature.

    Attributes:
        description: str. Its inputs and outputs, for people.
        inputs: Name -> spec `[None, ...]`.
        call: Function of the inputs by name that gives the outputs by name; it becomes the graph.
        reference: Function of one row of inputs that gives what the Python API says of it.
    """

    description: str
    inputs: dict[str, tf.TensorSpec]
    call: Callable[[Tensors], Tensors]
    reference: Callable[[Tensors], Tensors]


class SignatureTable:
    """The signatures of a model, which `vae_tf.saved_models.export` lists.

    A model that takes a condition has its parts as further inputs of each signature. With several
    latents `z`, `mean` and `stddev` are one for each: `z1`, `z1_mean`, `z1_stddev`.

    Args:
        model: The model.
        score_samples: int. K of `score`.
    """

    def __init__(self, model: Exportable, score_samples: int) -> None:
        self._model = model
        self._score_samples = score_samples
        self._example = model.generate(1, as_seed(1), model.example_batch(1).condition)
        condition = model.example_batch(1).condition
        named = {} if condition is None else condition
        self._condition = named if isinstance(named, dict) else {"condition": named}
        self._is_dict = isinstance(condition, dict)

    def table(self) -> dict[str, Signature]:
        """Name -> signature."""
        x = {"x": tf.TensorSpec([None, *self._model.event_shape], tf.float32, "x")}
        seed = {"seed": tf.TensorSpec([None], tf.int64, "seed")}
        z = {
            name: tf.TensorSpec([None, *value.shape[1:]], tf.float32, name)
            for name, value in self._example.z.items()
        }
        condition = {
            name: tf.TensorSpec([None, *value.shape[1:]], value.dtype, name)
            for name, value in self._condition.items()
        }
        names, further = ", ".join(z), "".join(f", {name}" for name in condition)
        reconstruct = Signature(
            f"x{further} → x at the posterior mean",
            {**x, **condition},
            self._reconstruct,
            self._reconstruct,
        )
        return {
            "encode": Signature(
                f"x{further} → mean, stddev of q({names}|x)",
                {**x, **condition},
                self._encode,
                self._encode,
            ),
            "decode": Signature(
                f"{names}{further} → mean of p(x|{names})",
                {**z, **condition},
                self._decode,
                self._decode,
            ),
            "sample": Signature(
                f"seed{further} → {names}, x", {**seed, **condition}, self._sample, self._one_sample
            ),
            "reconstruct": reconstruct,
            "score": Signature(
                f"x, seed{further} → log_prob, elbo in nats, from {self._score_samples} importance "
                "samples",
                {**x, **seed, **condition},
                self._score,
                self._one_score,
            ),
            DEFAULT: reconstruct,
        }

    def examples(self, rows: int) -> dict[str, dict[str, np.ndarray]]:
        """Signature -> input -> `[rows, ...]`: the model's own draws, the same at each call."""
        batch = self._model.example_batch(rows)
        trace = self._model.generate(rows, as_seed(1), batch.condition)
        x = trace.p_x.sample(seed=as_seed(2))
        known = {
            "x": tf.cast(x, tf.float32),
            "seed": tf.range(rows, dtype=tf.int64),
            **{name: tf.cast(z, tf.float32) for name, z in trace.z.items()},
            **{name: tf.repeat(c[:1], rows, axis=0) for name, c in self._condition.items()},
        }
        return {
            name: {key: known[key].numpy() for key in signature.inputs}
            for name, signature in self.table().items()
        }

    # The graphs.

    def _encode(self, inputs: Tensors) -> Tensors:
        found = self._model.moments(self._batch(inputs))
        return _outputs(
            {
                self._prefix(name) + part: value
                for name, moments in found.items()
                for part, value in moments._asdict().items()
            }
        )

    def _decode(self, inputs: Tensors) -> Tensors:
        z = {name: tf.cast(inputs[name], value.dtype) for name, value in self._example.z.items()}
        rows = tf.shape(next(iter(z.values())))[0]
        trace = self._generated(inputs, given(z), rows)
        return _outputs({"x": self._mean_x(trace)})

    def _sample(self, inputs: Tensors) -> Tensors:
        if all(latent.p.batch_shape.rank == 0 for latent in self._example.latents.values()):
            # What follows the draws runs once for all rows.
            seeds = inputs["seed"]
            return self._z_and_x(self._generated(inputs, draw_p_by_row(seeds), tf.shape(seeds)[0]))
        one = self._z_and_x(self._example)
        specs = {name: tf.TensorSpec(value.shape[1:], tf.float32) for name, value in one.items()}

        def of_row(row: Tensors) -> Tensors:
            trace = self._generated(row, draw_p(two_words(row["seed"][0])), 1)
            return {name: value[0] for name, value in self._z_and_x(trace).items()}

        return by_row(of_row, inputs, specs)

    def _reconstruct(self, inputs: Tensors) -> Tensors:
        return _outputs({"x": self._model.reconstruct(self._batch(inputs))})

    def _score(self, inputs: Tensors) -> Tensors:
        # Outside of the loop: a VampPrior encodes its pseudo-inputs.
        constants = self._model.constants()

        def of_row(row: Tensors) -> tf.Tensor:
            batch, seed = self._batch(row), two_words(row["seed"][0])
            trace = self._model.infer(
                batch,
                self._score_samples,
                seed=fold_in(seed, 0),
                context={**constants, **self._model.context(batch)},
            )
            return tf.cast(tf.stack([trace.bound()[0], elbo_terms(trace).elbo[0]]), tf.float32)

        rows = by_row(of_row, inputs, tf.TensorSpec([2], tf.float32))
        return _outputs({"log_prob": rows[:, 0], "elbo": rows[:, 1]})

    # What the Python API says of a row.

    def _one_sample(self, row: Tensors) -> Tensors:
        condition = self._batch(row).condition
        x, z = self._model.sample(1, int(row["seed"][0]), True, condition)
        return {**(z if isinstance(z, dict) else {"z": z}), "x": x}

    def _one_score(self, row: Tensors) -> Tensors:
        batch, seed = self._batch(row), int(row["seed"][0])
        trace = self._model.infer(batch, self._score_samples, seed=fold_in(as_seed(seed), 0))
        log_prob = self._model.log_prob(batch, self._score_samples, seed=seed)
        return {"log_prob": log_prob, "elbo": elbo_terms(trace).elbo}

    # Within.

    def _batch(self, inputs: Tensors) -> Batch:
        """The inputs of a signature as a batch."""
        given_parts = {name: inputs[name] for name in self._condition}
        condition = given_parts if self._is_dict else given_parts.get("condition")
        return Batch(inputs.get("x"), condition)

    def _generated(self, inputs: Tensors, choose: Choose, rows: Any) -> Trace:
        batch = self._batch(inputs)._replace(x=None)
        return self._model.trace(batch, choose, None, infer=False, rows=rows)

    def _z_and_x(self, trace: Trace) -> Tensors:
        return _outputs({**trace.z, "x": self._mean_x(trace)})

    def _mean_x(self, trace: Trace) -> tf.Tensor:
        return self._model.likelihood.point_estimate(trace.p_x)

    def _prefix(self, latent: str) -> str:
        return "" if len(self._example.z) == 1 else f"{latent}_"


def concrete_functions(
    table: dict[str, Signature], scope: Scope = contextlib.nullcontext
) -> dict[str, Any]:
    """The concrete function of each signature.

    Args:
        table: Of a `SignatureTable`.
        scope: Entered around the tracing of each; `half_precision` swaps the weights in it.
    """
    traced = {
        name: _traced(signature, scope) for name, signature in table.items() if name != DEFAULT
    }
    return {**traced, DEFAULT: traced["reconstruct"]}


def _traced(signature: Signature, scope: Scope) -> Any:
    names = list(signature.inputs)

    @tf.function(autograph=False, input_signature=list(signature.inputs.values()))
    def in_scope(*inputs: tf.Tensor) -> Tensors:
        with scope():
            return signature.call(dict(zip(names, inputs, strict=True)))

    return in_scope.get_concrete_function()


def _outputs(outputs: Tensors) -> Tensors:
    """The outputs in float32, whatever the model computes in."""
    return {name: tf.cast(value, tf.float32, name) for name, value in outputs.items()}
