"""The one pass of a model, which every objective, estimator and signature reads."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.batch import Batch, as_batch, log_likelihood, observed
from vae_tf.inference.choices import draw_p, draw_q, given
from vae_tf.inference.moments import Moments, moments
from vae_tf.inference.packing import Packing
from vae_tf.inference.trace import Choose, Latent, Trace
from vae_tf.inference.traceable import LatentNode, LogJoint
from vae_tf.training.data_checks import check_shape, check_values
from vae_tf.training.trainer import ObjectiveTrainer
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed


class TracedModel(ObjectiveTrainer):
    """Base of `LatentVariableModel`: the one pass in which latents are drawn and scored.

    A subclass defines `nodes`, `context`, `p_x` and `parts`, and sets `likelihood`.

    Args:
        seed: int. Every draw of `fit` and `evaluate` is a function of it and of the step. Defaults to
            a fresh one.
        **kwargs: For `keras.Model`.
    """

    # What a subclass defines.

    @property
    def nodes(self) -> Mapping[str, LatentNode]:
        """The latent variables by name, parents first. Their order is part of the file format."""
        raise NotImplementedError(f"{type(self).__name__} defines no `nodes`")

    def context(self, batch: Batch, infer: bool = True, training: bool = False) -> dict[str, Any]:
        """What is known before any latent: the condition, and with `infer` the features of x.

        It is computed once for all traces of a batch, so that dropout in an encoder is drawn once.

        Args:
            batch: B examples.
            infer: bool. Whether the features of x are wanted; without, `batch.x` may be None.
            training: bool. Whether networks run in training mode.

        Returns:
            Name -> what the nodes and `p_x` read. By default `x`, and `condition`, or the entries of a
            condition that is a dict.
        """
        condition = batch.condition
        known = dict(condition) if isinstance(condition, Mapping) else {"condition": condition}
        if infer:
            known["x"] = observed(batch)
        return {name: value for name, value in known.items() if value is not None}

    def constants(self) -> dict[str, Any]:
        """What depends on neither x nor condition nor latents, such as a prior made of posteriors."""
        return {}

    def p_x(self, known: dict[str, Any], training: bool = False) -> tfd.Distribution:
        """p(x | latents, condition), batch shape [K, B].

        Args:
            known: The context, and the latents by name.
            training: bool. Whether networks run in training mode.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no `p_x`")

    @property
    def parts(self) -> dict[str, str]:
        """Names of the distribution layers: of each latent's posterior and prior, and of p(x)."""
        raise NotImplementedError(f"{type(self).__name__} defines no `parts`")

    def example_batch(self, rows: int) -> Batch:
        """A batch of zeros in the shapes and dtypes that the model takes.

        A model that takes a condition or labels overrides this.
        """
        return Batch(tf.zeros([rows, *self.event_shape], self.variable_dtype))

    # The one pass.

    def trace(
        self,
        batch: Batch,
        choose: Choose,
        samples: int | None = 1,
        *,
        infer: bool = True,
        training: bool = False,
        context: dict[str, Any] | None = None,
        rows: Any = None,
        likelihood: bool = True,
    ) -> Trace:
        """Gives each latent its value, parents first, and scores latents and data.

        Args:
            batch: B examples; x in the dtype of the model's variables.
            choose: How a latent gets its value: see `vae_tf.inference.choices`.
            samples: int or None. K, values of each latent an example. None: one, without the axis of K.
                Defaults to 1.
            infer: bool. Whether there are posteriors; without, x may be None. Defaults to True.
            training: bool. Whether networks run in training mode. Defaults to False.
            context: `constants` and `context`, or `Trace.context` of the same batch. Defaults to None:
                computed here.
            rows: int or integer tensor. B. Defaults to None: read off the batch.
            likelihood: bool. Whether x is scored. Defaults to True.
        """
        rows = batch.size if rows is None else rows
        lead = [rows] if samples is None else [samples, rows]
        if context is None:
            context = {**self.constants(), **self.context(batch, infer, training)}
        known, latents = dict(context), {}
        log_mix, draws = None, samples or 1
        for index, (name, node) in enumerate(self.nodes.items()):
            p = node.p(known, training)
            q = node.q(known, p, training) if infer else None
            choice = choose(index, name, q, p, lead)
            known[name] = choice.z
            known.update(node.advance(known, training))
            latents[name] = Latent(p, choice, node.penalty(known, q, training))
            if choice.log_mix is not None:
                log_mix, draws = choice.log_mix, choice.draws
        p_x = self.p_x(known, training) if likelihood else None
        scored = None if p_x is None or batch.x is None else log_likelihood(p_x, batch)
        return Trace(latents, p_x, scored, context, draws, log_mix)

    def infer(
        self,
        batch: Batch,
        samples: int = 1,
        *,
        seed: tf.Tensor,
        training: bool = False,
        **options: Any,
    ) -> Trace:
        """A trace with `samples` draws of the latents from the posterior for each example.

        A model that enumerates a latent overrides this; see `vae_tf.inference.choices.enumerated`.

        Args:
            batch: B examples.
            samples: int. Draws an example. Defaults to 1.
            seed: int32 tensor of shape [2].
            training: bool. Whether networks run in training mode. Defaults to False.
            **options: Of `trace`.
        """
        return self.trace(batch, draw_q(seed), samples, training=training, **options)

    def log_joint(self, batch: Batch, context: dict[str, Any] | None = None) -> LogJoint:
        """The function of the latents log p(x, latents), `[K, B]` nats.

        What does not depend on the latents is computed here, once.
        """
        known = context or {**self.constants(), **self.context(batch, infer=False)}

        def log_p(z: Mapping[str, tf.Tensor]) -> tf.Tensor:
            samples = next(iter(z.values())).shape[0]
            return self.trace(batch, given(z), samples, infer=False, context=known).log_joint

        return log_p

    def generate(self, n: int, seed: tf.Tensor, condition: Any = None) -> Trace:
        """A trace with a draw from the priors for each of `n` rows, without the axis of K."""
        batch = Batch(None, condition)
        return self.trace(batch, draw_p(seed), None, infer=False, rows=n)

    def moments(self, x: Any, seed: Seed = 0) -> dict[str, Moments]:
        """Mean and standard deviation of q of each latent; see `vae_tf.inference.moments`."""
        return moments(self, self._as_batch(x), as_seed(seed))

    def packed(self, trace: Trace) -> tf.Tensor:
        """The latents of a trace, one after the other, `[K, B, D]`."""
        return self._packing.pack(trace.z)

    def packed_moments(self, batch: Batch) -> Moments:
        """The moments of all latents, one after the other, `[B, D]` each."""
        found = moments(self, batch, as_seed(0))
        mean = self._packing.pack({name: one.mean for name, one in found.items()})
        return Moments(mean, self._packing.pack({name: one.stddev for name, one in found.items()}))

    # What it is.

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one x."""
        return self.likelihood.event_shape

    @property
    def latent_dim(self) -> int:
        """D, the number of latent dimensions of all latents together."""
        return sum(self._packing.sizes)

    @property
    def logged(self) -> tuple[str, ...]:
        """`kl/NAME` of each latent, where there are several."""
        return tuple(f"kl/{name}" for name in self.nodes) if len(self.nodes) > 1 else ()

    # Within.

    @cached_property
    def _packing(self) -> Packing:
        trace = self.infer(self.example_batch(1), seed=as_seed(0), likelihood=False)
        return Packing(trace)

    def _as_batch(self, data: Any, scored: bool = False) -> Batch:
        """A user's data as a batch, checked; `scored` as in `check_values`."""
        batch = as_batch(data)
        x = tf.convert_to_tensor(batch.x)
        check_shape(x.shape, self.event_shape, "x")
        if tf.executing_eagerly():
            x_observed = observed(batch._replace(x=x))
            dtype = self.compute_dtype
            check_values(x_observed, self.likelihood, "x", scored=scored, dtype=dtype)
        for name in self.takes:
            if getattr(batch, name) is None:
                raise InputError(
                    f"The model takes a {name} and got x alone; give {{'x': x, '{name}': ...}}."
                )
        return batch._replace(x=tf.cast(x, self.variable_dtype))
