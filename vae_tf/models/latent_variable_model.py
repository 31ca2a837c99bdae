"""The base of the models: the one pass, and what users do with it."""

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.batch import Batch, as_batch, log_likelihood, observed
from vae_tf.inference.choices import at_mean_of_draws, at_point_estimate, draw_p, draw_q, given
from vae_tf.inference.elbo import ElboTerms, elbo_terms
from vae_tf.inference.importance_weights import merge_bounds
from vae_tf.inference.model import LatentNode, LogJoint
from vae_tf.inference.moments import Moments, moments
from vae_tf.inference.packing import Packing
from vae_tf.inference.rows import by_row
from vae_tf.inference.trace import Choose, Latent, Trace
from vae_tf.saved_models.export import export
from vae_tf.training.data_checks import check_shape, check_values
from vae_tf.training.trainer import ObjectiveTrainer
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed, fold_in

# Floats of decoder output held at once by `log_prob`: 64 MiB.
_LOG_PROB_FLOATS = 2**24


class LatentVariableModel(ObjectiveTrainer):
    """Base of the latent-variable models: p(x | latents) Π p(latent | parents), with q(latents | x).

    A subclass defines `nodes`, `context` and `p_x`, and sets `likelihood`. Everything else, the
    objectives, the estimators of `vae_tf.evaluation` and the export go through `trace`.

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

    # What users do with it.

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one x."""
        return self.likelihood.event_shape

    @property
    def latent_dim(self) -> int:
        """D, the number of latent dimensions of all latents together."""
        return sum(self._packing.sizes)

    @property
    def parts(self) -> dict[str, str]:
        """Names of the distribution layers: of each latent's posterior and prior, and of p(x)."""
        raise NotImplementedError(f"{type(self).__name__} defines no `parts`")

    @property
    def logged(self) -> tuple[str, ...]:
        """`kl/NAME` of each latent, where there are several."""
        return tuple(f"kl/{name}" for name in self.nodes) if len(self.nodes) > 1 else ()

    def elbo(self, x: Any, seed: Seed = None) -> ElboTerms:
        """The evidence lower bound of each example, from one draw of the latents from q.

        Args:
            x: `[B, *event]`, or a dict of x and what else the model takes.
            seed: int, int tensor of shape [2], or None for a fresh draw.

        Returns:
            `ElboTerms(elbo, log_likelihood, kl)`, nats, `[B]` each.
        """
        return elbo_terms(self.infer(self._as_batch(x), seed=as_seed(seed)))

    def log_prob(self, x: Any, num_samples: int = 1000, seed: Seed = None) -> tf.Tensor:
        """Importance-weighted estimate of log p(x) of each example.

        L_K of Burda et al. (2016), equation 8, with q as the proposal: in expectation a lower bound
        that grows with K = `num_samples` to log p(x). Memory does not grow with K.

        Args:
            x: `[B, *event]`, or a dict of x and what else the model takes.
            num_samples: int. K. Defaults to 1000.
            seed: int, int tensor of shape [2], or None for fresh draws.

        Returns:
            `[B]`, nats.
        """
        batch, seed = self._as_batch(x), as_seed(seed)
        remaining = as_count("samples", num_samples)
        rows = batch.x.shape[0] or 1
        chunk = max(1, _LOG_PROB_FLOATS // (self.likelihood.params_size * max(1, rows)))
        bound, done = None, 0
        while remaining:
            samples = min(chunk, remaining)
            part = self._bound(batch, samples, fold_in(seed, done))
            bound = part if bound is None else merge_bounds(bound, done, part, samples)
            done, remaining = done + samples, remaining - samples
        return bound

    def reconstruct(self, x: Any, seed: Seed = None) -> tf.Tensor:
        """The mean of p(x | latents) at the means of the posteriors, or with a seed at draws.

        Args:
            x: `[B, *event]`, or a dict of x and what else the model takes.
            seed: int, int tensor of shape [2], or None for the means.

        Returns:
            `[B, *event]`.
        """
        return self._reconstruct(self._as_batch(x), seed)

    def sample(
        self,
        n: int,
        seed: Seed = None,
        return_latents: bool = False,
        condition: Any = None,
    ) -> Any:
        """Means of p(x | latents) at `n` draws of the latents from their priors.

        Args:
            n: int. Number of samples.
            seed: int, int tensor of shape [2], or None for fresh draws.
            return_latents: bool. Whether the latents are returned too. Defaults to False.
            condition: `[n, ...]`, or a dict of such, for a model that takes one.

        Returns:
            x `[n, *event]`, or the pair of x and the latents: `[n, D]` for a `VAE`, a dict of such for
            a model of several.
        """
        trace = self.generate(as_count("samples", n), as_seed(seed), condition)
        x = self._mean_x(trace)
        if not return_latents:
            return x
        return x, trace.z["z"] if list(trace.z) == ["z"] else trace.z

    def example_batch(self, rows: int) -> Batch:
        """A batch of zeros in the shapes and dtypes that the model takes.

        A model that takes a condition or labels overrides this.
        """
        return Batch(tf.zeros([rows, *self.event_shape], self.variable_dtype))

    # Keras.

    def build(self, input_shape: Any = None) -> None:
        """Does nothing: the parts were built when the model was constructed."""

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """`reconstruct` at the posterior mean, `[B, *event]`."""
        return self._reconstruct(self._as_batch(inputs), None, training)

    def export(
        self,
        filepath: str | os.PathLike[str],
        score_samples: int = 100,
        precision: str = "float32",
        training: dict[str, Any] | None = None,
    ) -> Path:
        """Writes a SavedModel with the signatures that `vae_tf.saved_models.export` lists.

        Args:
            filepath: The version directory to make ("models/digits/3"), or the model's
                ("models/digits"), which gets the next version.
            score_samples: int. K, importance samples an example of `score`. Defaults to 100.
            precision: str. Of the stored weights: "float32", "bfloat16" or "float16".
            training: JSON values about the training, which the export records.

        Returns:
            The version directory.
        """
        return export(self, filepath, score_samples, precision, training)

    # Within.

    def _finish_building(self) -> None:
        """Runs one example of zeros through the parts, which builds them.

        It does not go through `keras.Model.__call__`, after which a subclass could add no layer.
        """
        self._reconstruct(self.example_batch(1), None)
        self.built = True

    @cached_property
    def _packing(self) -> Packing:
        trace = self.infer(self.example_batch(1), seed=as_seed(0), likelihood=False)
        return Packing(trace)

    def _reconstruct(self, batch: Batch, seed: Seed, training: bool = False) -> tf.Tensor:
        def mean_x(batch: Batch, choose: Choose) -> tf.Tensor:
            return self._mean_x(self.trace(batch, choose, None, training=training))

        if seed is not None:
            return mean_x(batch, draw_q(as_seed(seed)))
        try:
            return mean_x(batch, at_point_estimate(self.nodes))
        except NotImplementedError:  # TFP does not know the mean of a posterior
            choose = at_mean_of_draws(as_seed(0))
            spec = tf.TensorSpec(self.event_shape, self.variable_dtype)
            return by_row(lambda row: mean_x(Batch(**row), choose)[0], batch._asdict(), spec)

    def _mean_x(self, trace: Trace) -> tf.Tensor:
        """The point estimate of p(x | latents), `[B, *event]`."""
        return self.likelihood.point_estimate(trace.p_x)

    def _as_batch(self, data: Any) -> Batch:
        """A user's data as a batch, checked."""
        batch = as_batch(data)
        x = tf.convert_to_tensor(batch.x)
        check_shape(x.shape, self.event_shape, "x")
        if tf.executing_eagerly():
            check_values(observed(batch._replace(x=x)), self.likelihood, "x")
        for name in self.takes:
            if getattr(batch, name) is None:
                raise InputError(
                    f"The model takes a {name} and got x alone; give {{'x': x, '{name}': ...}}."
                )
        return batch._replace(x=tf.cast(x, self.variable_dtype))

    @cached_property
    def _bound(self) -> Callable[[Batch, int, tf.Tensor], tf.Tensor]:
        @tf.function(reduce_retracing=True, autograph=False)
        def bound(batch: Batch, samples: int, seed: tf.Tensor) -> tf.Tensor:
            return self.infer(batch, samples, seed=seed).bound()

        return bound
