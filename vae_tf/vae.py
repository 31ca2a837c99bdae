"""The variational auto-encoder as a Keras model."""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf import objectives
from vae_tf.assembly import check_distributions, check_parts, describe_parts, xla_is_faster
from vae_tf.checks import check_shape, check_values, checked, input_errors
from vae_tf.errors import InputError
from vae_tf.layers.base import DistributionLayer
from vae_tf.metrics import ElboMetrics
from vae_tf.objectives.importance_weights import (
    importance_weighted_bound,
    log_importance_weights,
    merge_bounds,
)
from vae_tf.objectives.objective import Objective, check_samples
from vae_tf.objectives.terms import ElboTerms, densities, elbo_terms
from vae_tf.priors import Prior, StandardNormal
from vae_tf.seeds import Seed, as_seed, fold_in, fresh_seed
from vae_tf.warm_up import warn_of_unfinished_warm_up

_PARTS = ("encoder", "posterior", "decoder", "likelihood", "prior")
_TRAIN_STREAM, _TEST_STREAM = 0, 1
# Floats of decoder output held at once by `log_prob`: 64 MiB.
_LOG_PROB_FLOATS = 2**24


@keras.saving.register_keras_serializable(package="vae_tf")
class VAE(keras.Model):
    """A variational auto-encoder: Kingma and Welling (2014), Auto-Encoding Variational Bayes.

    The generative model is z ~ p(z), x ~ p(x|z); the recognition model q(z|x) approximates the
    posterior p(z|x). `fit` maximises an objective, by default the evidence lower bound on log p(x).

    The model is built when it is constructed, so it is never saved or loaded without its weights.

    Args:
        encoder: `keras.Model` or layer. x `[B, *event]` -> `[B, posterior.params_size]`.
        posterior: `vae_tf.layers.DistributionLayer`. Parameters -> q(z|x), event shape [D].
        decoder: `keras.Model` or layer. z `[B, D]` -> `[B, likelihood.params_size]`.
        likelihood: `vae_tf.layers.DistributionLayer`. Parameters -> p(x|z), event shape `event`.
        prior: `vae_tf.priors.Prior`. p(z). Defaults to `StandardNormal(D)`.
        seed: int. Every draw of `fit` and `evaluate` is a function of it and of the step, so that a
            training that is saved and resumed goes on as if it had not stopped. Defaults to a
            fresh one.
        **kwargs: For `keras.Model`: `name`, `dtype`.

    Raises:
        InputError: if two parts do not fit each other.
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        posterior: DistributionLayer,
        decoder: keras.layers.Layer,
        likelihood: DistributionLayer,
        prior: Prior | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_distributions(posterior, likelihood)
        if prior is None:
            prior = StandardNormal(posterior.event_shape[0], dtype=self.dtype_policy)
        check_parts(encoder, posterior, decoder, likelihood, prior)
        self.encoder = encoder
        self.posterior = posterior
        self.decoder = decoder
        self.likelihood = likelihood
        self.prior: Prior = prior
        # Kept in the config as a number: resuming needs the seed that was drawn.
        self.seed = fresh_seed() if seed is None else seed
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )
        self.objective: Objective | None = None
        self._elbo_metrics = ElboMetrics(())
        self(tf.zeros([1, *self.event_shape], self.variable_dtype))

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one x."""
        return self.likelihood.event_shape

    @property
    def latent_dim(self) -> int:
        """D, the size of one z."""
        return self.prior.latent_dim

    # The densities.

    def encode(self, x: Any, training: bool = False) -> tfd.Distribution:
        """q(z|x) of each example.

        Args:
            x: `[B, *event]`.
            training: bool. Whether the encoder runs in training mode. Defaults to False.

        Returns:
            `tfd.Distribution`, batch shape [B], event shape [D].

        Raises:
            InputError: for another shape, or values the likelihood has no density for.
        """
        return self.posterior.distribution(self.encoder(self._as_x(x), training=training))

    def decode(self, z: Any, training: bool = False) -> tfd.Distribution:
        """p(x|z) of each latent vector.

        Args:
            z: `[..., D]`.
            training: bool. Whether the decoder runs in training mode. Defaults to False.

        Returns:
            `tfd.Distribution`, batch shape `[...]`, event shape `event`.

        Raises:
            InputError: if the last axis is not D.
        """
        z = tf.convert_to_tensor(z)
        if z.dtype.is_integer or z.dtype == tf.float64:
            z = tf.cast(z, self.variable_dtype)
        if z.shape.rank in (None, 0) or z.shape[-1] != self.latent_dim:
            raise InputError(
                f"z has shape {tuple(z.shape)}, expected [batch, {self.latent_dim}]: "
                f"{self.latent_dim} latent dimensions on the last axis."
            )
        params = self.decoder(tf.reshape(z, [-1, self.latent_dim]), training=training)
        shape = tf.concat([tf.shape(z)[:-1], [self.likelihood.params_size]], axis=0)
        return self.likelihood.distribution(tf.reshape(params, shape))

    def p_z(self) -> tfd.Distribution:
        """The prior p(z), batch shape [], event shape [D]."""
        return self.prior.distribution(self.encode)

    # What users do with them.

    def sample(
        self, n: int, seed: Seed = None, return_latents: bool = False
    ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        """Means of p(x|z) at `n` draws z ~ p(z).

        Args:
            n: int. Number of samples.
            seed: int, int tensor of shape [2], or None for fresh draws.
            return_latents: bool. Whether z is returned too. Defaults to False.

        Returns:
            x `[n, *event]`, or the pair of x and z `[n, D]`.
        """
        z = self.p_z().sample(check_samples(n), seed=as_seed(seed))
        x = self.likelihood.point_estimate(self.decode(z))
        return (x, z) if return_latents else x

    def reconstruct(self, x: Any, seed: Seed = None) -> tf.Tensor:
        """The mean of p(x|z) at the mean of q(z|x), or with a seed at a draw from it.

        Args:
            x: `[B, *event]`.
            seed: int, int tensor of shape [2], or None for the mean.

        Returns:
            `[B, *event]`.
        """
        return self._reconstruct(x, seed)

    def elbo(self, x: Any, seed: Seed = None) -> ElboTerms:
        """The evidence lower bound of each example, from one draw z ~ q(z|x).

        Args:
            x: `[B, *event]`.
            seed: int, int tensor of shape [2], or None for a fresh draw.

        Returns:
            `ElboTerms(elbo, log_likelihood, kl)`, nats, `[B]` each.
        """
        return elbo_terms(densities(self, self._as_x(x), samples=1, seed=as_seed(seed)))

    def log_prob(self, x: Any, num_samples: int = 1000, seed: Seed = None) -> tf.Tensor:
        """Importance-weighted estimate of log p(x) of each example.

        L_K of Burda et al. (2016), equation 8, with q(z|x) as the proposal: in expectation a lower
        bound that grows with K = `num_samples` to log p(x). Memory does not grow with K.

        Args:
            x: `[B, *event]`.
            num_samples: int. K. Defaults to 1000.
            seed: int, int tensor of shape [2], or None for fresh draws.

        Returns:
            `[B]`, nats.
        """
        x, seed = self._as_x(x), as_seed(seed)
        remaining = check_samples(num_samples)
        chunk = max(1, _LOG_PROB_FLOATS // (self.likelihood.params_size * max(1, x.shape[0] or 1)))
        bound, done = None, 0
        while remaining:
            samples = min(chunk, remaining)
            part = self._bound(x, samples, fold_in(seed, done))
            bound = part if bound is None else merge_bounds(bound, done, part, samples)
            done, remaining = done + samples, remaining - samples
        return bound

    # Keras.

    def build(self, input_shape: Any = None) -> None:
        """Does nothing: the parts were built when the model was constructed."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """`reconstruct` at the posterior mean, `[B, *event]`."""
        return self._reconstruct(inputs, None, training)

    def compile(
        self,
        optimizer: Any = "adam",
        objective: str | Objective | None = None,
        *,
        steps_per_execution: int | str = "auto",
        jit_compile: bool | str = "auto",
        run_eagerly: bool = False,
        auto_scale_loss: bool = True,
    ) -> None:
        """Prepares training. The defaults are those measured to be fast (`benchmarks/training.py`).

        Args:
            optimizer: As in Keras. Defaults to "adam" (learning rate 0.001).
            objective: `Objective` or its name. Defaults to `ELBO()`.
            steps_per_execution: int or "auto". Batches between two looks at the callbacks. "auto"
                is 16, or 1 on several replicas, where Keras cannot loop.
            jit_compile: bool or "auto". XLA. "auto" follows Keras on a GPU; on a CPU it compiles
                dense networks in float32, and leaves convolutions and half precision alone, which
                XLA slows there.
            run_eagerly: bool. For debugging. Defaults to False.
            auto_scale_loss: bool. Loss scaling under mixed_float16. Defaults to True.

        Raises:
            InputError: for an unknown objective.
        """
        chosen = objectives.get(objective)
        self._compile_arguments = {
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
            "run_eagerly": run_eagerly,
            "auto_scale_loss": auto_scale_loss,
        }
        if steps_per_execution == "auto":
            steps_per_execution = 16 if self.distribute_strategy.num_replicas_in_sync == 1 else 1
        if jit_compile == "auto" and not tf.config.list_physical_devices("GPU"):
            jit_compile = not run_eagerly and xla_is_faster(self)
        super().compile(
            optimizer=optimizer,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            auto_scale_loss=auto_scale_loss,
        )
        self.objective = chosen
        self._elbo_metrics = ElboMetrics(chosen.logged)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What `fit` and `evaluate` reset at the start of an epoch."""
        return self._elbo_metrics.all if self.compiled else []

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step of gradient ascent on the objective, averaged over the batch."""
        x, weights = self._unpack(data)
        seed = self._step_seed(_TRAIN_STREAM, self.step)
        with tf.GradientTape() as tape:
            result = self._objective()(self, x, step=self.step.value, seed=seed, training=True)
            loss = self._mean_loss(result.loss, weights)
            # Replicas add their gradients up, so each gives its share.
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
            scaled_loss = self.optimizer.scale_loss(loss / replicas)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(scaled_loss, variables), variables)
        self.step.assign_add(1)
        return self._elbo_metrics.update(result, loss, weights)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """The objective and the model's ELBO on a batch, with the same draws at each evaluation."""
        x, weights = self._unpack(data)
        # Keras resets the count before each evaluation, so each has the same draws.
        seed = self._step_seed(_TEST_STREAM, self._elbo_metrics.batches)
        result = self._objective()(self, x, step=self.step.value, seed=seed)
        return self._elbo_metrics.update(result, self._mean_loss(result.loss, weights), weights)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """`keras.Model.fit`, which see. Labels are ignored, sample weights are honoured.

        `x` is an array `[N, *event]`, or a dataset of `x`, `(x,)`, `(x, y)` or `(x, y,
        sample_weight)`.

        Returns:
            `keras.callbacks.History`: `loss`, `elbo`, `log_likelihood`, `kl` and what the objective
            logs, in nats per example, with `val_` for those of `validation_data`.

        Raises:
            InputError: for empty data, a wrong shape, NaN, or values outside the likelihood's
                support.
        """
        self._objective()
        x, y = checked((x, y, kwargs.get("sample_weight")), self.likelihood, "The training data")[
            :2
        ]
        validation = kwargs.get("validation_data")
        if validation is not None:
            is_tuple = isinstance(validation, list | tuple)
            parts = checked(
                validation if is_tuple else (validation,), self.likelihood, "The validation data"
            )
            kwargs["validation_data"] = parts if is_tuple else parts[0]
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)  # Keras warns of True, its own default
        warn_of_unfinished_warm_up(self, x, batch_size=batch_size, epochs=epochs, **kwargs)
        with input_errors():
            history = super().fit(x, y, batch_size=batch_size, epochs=epochs, **kwargs)
        if history.epoch and not history.history:
            raise InputError("The training data gave no batch; give a dataset with at least one.")
        return history

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """`keras.Model.evaluate`, which see; nats per example, with the same draws at each call."""
        self._objective()
        x, y = checked((x, y, kwargs.get("sample_weight")), self.likelihood, "The test data")[:2]
        with input_errors():
            return super().evaluate(x, y, batch_size=batch_size, **kwargs)

    def predict(self, x: Any, batch_size: int | None = None, **kwargs: Any) -> np.ndarray:
        """`keras.Model.predict`, which see: `reconstruct` at the posterior mean."""
        (x,) = checked((x,), self.likelihood, "x")
        with input_errors():
            return super().predict(x, batch_size=batch_size, **kwargs)

    def export(self, filepath: str | os.PathLike[str], score_samples: int = 100) -> Path:
        """Writes a SavedModel with the signatures that `vae_tf.export.export` lists.

        Args:
            filepath: The folder to make, such as "models/digits/1".
            score_samples: int. K, importance samples an example of `score`. Defaults to 100.

        Returns:
            `filepath`.
        """
        from vae_tf.export import export  # it imports this module

        return export(self, filepath, score_samples)

    def summary(
        self, *args: Any, print_fn: Callable[[str], Any] | None = None, **kwargs: Any
    ) -> None:
        """Prints the parts of the model, with their shapes and numbers of weights.

        Args:
            *args: Of `keras.Model.summary`; not used.
            print_fn: Called with the whole text instead of printing it.
            **kwargs: Of `keras.Model.summary`; not used.
        """
        (print_fn or print)(describe_parts(self))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = keras.layers.Layer.get_config(self)
        parts = {name: getattr(self, name) for name in _PARTS}
        serialised = {n: keras.saving.serialize_keras_object(p) for n, p in parts.items()}
        return {**config, **serialised, "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "VAE":
        """The model of `get_config`, with fresh weights."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in _PARTS
        }
        return cls(**{**config, **parts})

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`, for the `.keras` file."""
        if not self.compiled:
            return {}
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "objective": keras.saving.serialize_keras_object(self.objective),
            **self._compile_arguments,
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as the saved model was, and builds the optimizer for its saved state."""
        names = ("optimizer", "objective")
        revived = {name: keras.saving.deserialize_keras_object(config[name]) for name in names}
        self.compile(**{**config, **revived})
        self.optimizer.build(self.trainable_variables)

    # Within.

    def _as_x(self, x: Any) -> tf.Tensor:
        x = tf.convert_to_tensor(x)
        check_shape(x.shape, self.event_shape, "x")
        if tf.executing_eagerly():
            check_values(x, self.likelihood, "x")
        return tf.cast(x, self.variable_dtype)

    def _reconstruct(self, x: Any, seed: Seed, training: bool = False) -> tf.Tensor:
        q_z_given_x = self.encode(x, training=training)
        if seed is None:
            z = self.posterior.point_estimate(q_z_given_x)
        else:
            z = q_z_given_x.sample(seed=as_seed(seed))
        return self.likelihood.point_estimate(self.decode(z, training=training))

    @cached_property
    def _bound(self) -> Callable[[tf.Tensor, int, tf.Tensor], tf.Tensor]:
        @tf.function(reduce_retracing=True)
        def bound(x: tf.Tensor, samples: int, seed: tf.Tensor) -> tf.Tensor:
            d = densities(self, x, samples=samples, seed=seed)
            return importance_weighted_bound(log_importance_weights(d))

        return bound

    def _objective(self) -> Objective:
        if self.objective is None:
            raise InputError("The model is not compiled; call vae.compile(optimizer='adam') first.")
        return self.objective

    def _step_seed(self, stream: int, step: tf.Tensor) -> tf.Tensor:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return fold_in(as_seed(self.seed), stream, step, replica)

    def _unpack(self, data: Any) -> tuple[tf.Tensor, tf.Tensor | None]:
        x, _, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        x = self._as_x(x)
        if sample_weight is not None:
            sample_weight = tf.reshape(tf.cast(sample_weight, x.dtype), [-1])
        return x, sample_weight

    def _mean_loss(self, loss: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
        """The mean over the batch, and the regularisers of the networks' own weights."""
        mean = tf.reduce_mean(loss if weights is None else loss * tf.cast(weights, loss.dtype))
        return tf.add_n([mean, *(tf.cast(penalty, mean.dtype) for penalty in self.losses)])
