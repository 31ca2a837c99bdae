"""The base of the models: what users do with a trace."""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.inference.choices import at_mean_of_draws, at_point_estimate, draw_q
from vae_tf.inference.elbo import ElboTerms, elbo_terms
from vae_tf.inference.importance_weights import merge_bounds
from vae_tf.inference.rows import by_row
from vae_tf.inference.trace import Choose, Trace
from vae_tf.models.traced_model import TracedModel
from vae_tf.saved_models.export import export
from vae_tf.utils.checks import as_count
from vae_tf.utils.seeds import Seed, as_seed, fold_in

# Floats of decoder output held at once by `log_prob`: 64 MiB.
_LOG_PROB_FLOATS = 2**24


class LatentVariableModel(TracedModel):
    """Base of the latent-variable models: p(x | latents) Π p(latent | parents), with q(latents | x).

    A subclass defines `nodes`, `context`, `p_x` and `parts`, and sets `likelihood`. Everything else,
    the objectives, the estimators of `vae_tf.evaluation` and the export go through `trace`.

    Args:
        seed: int. Every draw of `fit` and `evaluate` is a function of it and of the step. Defaults to
            a fresh one.
        **kwargs: For `keras.Model`.
    """

    def elbo(self, x: Any, seed: Seed = None) -> ElboTerms:
        """The evidence lower bound of each example, from one draw of the latents from q.

        Args:
            x: `[B, *event]`, or a dict of x and what else the model takes.
            seed: int, int tensor of shape [2], or None for a fresh draw.

        Returns:
            `ElboTerms(elbo, log_likelihood, kl)`, nats, `[B]` each.
        """
        return elbo_terms(self.infer(self._as_batch(x, scored=True), seed=as_seed(seed)))

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
        batch, seed = self._as_batch(x, scored=True), as_seed(seed)
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

        Raises:
            InputError: for a wrong shape or wrong values, or if the networks overflow in half precision.
        """
        x = self._reconstruct(self._as_batch(x), seed)
        is_half = self.compute_dtype != self.variable_dtype
        return self._finite(x) if is_half and tf.executing_eagerly() else x

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

    @cached_property
    def _bound(self) -> Callable[[Batch, int, tf.Tensor], tf.Tensor]:
        @tf.function(reduce_retracing=True, autograph=False)
        def bound(batch: Batch, samples: int, seed: tf.Tensor) -> tf.Tensor:
            return self.infer(batch, samples, seed=seed).bound()

        return bound
