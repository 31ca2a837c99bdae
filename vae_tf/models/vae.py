"""The variational auto-encoder as a Keras model."""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.elbo import ElboTerms, densities, elbo_terms
from vae_tf.inference.importance_weights import (
    importance_weighted_bound,
    log_importance_weights,
    merge_bounds,
)
from vae_tf.layers.base import DistributionLayer
from vae_tf.models.parts import check_distributions, check_parts
from vae_tf.models.summary import describe_parts
from vae_tf.priors import Prior, StandardNormal
from vae_tf.saved_models.export import export
from vae_tf.training.data_checks import check_shape, check_values
from vae_tf.training.trainer import ObjectiveTrainer
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed, fold_in

_PARTS = ("encoder", "posterior", "decoder", "likelihood", "prior")
# Floats of decoder output held at once by `log_prob`: 64 MiB.
_LOG_PROB_FLOATS = 2**24


@keras.saving.register_keras_serializable(package="vae_tf")
class VAE(ObjectiveTrainer):
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
        super().__init__(seed, **kwargs)
        check_distributions(posterior, likelihood)
        if prior is None:
            prior = StandardNormal(posterior.event_shape[0], dtype=self.dtype_policy)
        check_parts(encoder, posterior, decoder, likelihood, prior)
        self.encoder = encoder
        self.posterior = posterior
        self.decoder = decoder
        self.likelihood = likelihood
        self.prior: Prior = prior
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
        z = self.p_z().sample(as_count("samples", n), seed=as_seed(seed))
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
        remaining = as_count("samples", num_samples)
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
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Self:
        """The model of `get_config`, with fresh weights."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in _PARTS
        }
        return cls(**{**config, **parts})

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
        @tf.function(reduce_retracing=True, autograph=False)
        def bound(x: tf.Tensor, samples: int, seed: tf.Tensor) -> tf.Tensor:
            d = densities(self, x, samples=samples, seed=seed)
            return importance_weighted_bound(log_importance_weights(d))

        return bound
