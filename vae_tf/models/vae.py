"""The variational auto-encoder as a Keras model."""

from collections.abc import Callable
from typing import Any, Self

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.batch import Batch, observed
from vae_tf.inference.traceable import LatentNode
from vae_tf.layers.base import DistributionLayer
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.models.parts import check_distributions, check_parts
from vae_tf.models.summary import describe_parts
from vae_tf.priors import Prior, StandardNormal
from vae_tf.utils.errors import InputError

_PARTS = ("encoder", "posterior", "decoder", "likelihood", "prior")


@keras.saving.register_keras_serializable(package="vae_tf")
class VAE(LatentVariableModel):
    """A variational auto-encoder: Kingma and Welling (2014), Auto-Encoding Variational Bayes.

    The generative model is z ~ p(z), x ~ p(x|z); the recognition model q(z|x) approximates the
    posterior p(z|x). `fit` maximises an objective, by default the evidence lower bound on log p(x).

    The model is built when it is constructed, so it is never saved or loaded without its weights.

    Args:
        encoder: `keras.Model` or layer. x `[B, *event]` -> `[B, posterior.params_size]`.
        posterior: `vae_tf.layers.DistributionLayer`. Parameters -> q(z|x), event shape [D], or another
            shape that the prior has too.
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
            prior = StandardNormal(posterior.event_shape, dtype=self.dtype_policy)
        check_parts(encoder, posterior, decoder, likelihood, prior)
        self.encoder = encoder
        self.posterior = posterior
        self.decoder = decoder
        self.likelihood = likelihood
        self.prior: Prior = prior
        self._finish_building()

    @property
    def latent_dim(self) -> int:
        """D, the number of elements of one z."""
        return self.prior.latent_dim

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one z, [D] as a rule."""
        return self.prior.latent_shape

    @property
    def parts(self) -> dict[str, str]:
        """Class names of the posterior, the likelihood and the prior."""
        roles = ("posterior", "likelihood", "prior")
        return {role: type(getattr(self, role)).__name__ for role in roles}

    # The one latent, for `trace`.

    @property
    def nodes(self) -> dict[str, LatentNode]:
        """The latent z. A view: as a Keras object its weights would be stored under another path."""
        return {"z": _Z(self.posterior)}

    def constants(self) -> dict[str, Any]:
        """The prior p(z)."""
        return {"p_z": self.p_z()}

    def context(self, batch: Batch, infer: bool = True, training: bool = False) -> dict[str, Any]:
        """The posterior, which no latent precedes."""
        return {"q_z_given_x": self.encode(observed(batch), training=training)} if infer else {}

    def p_x(self, known: dict[str, Any], training: bool = False) -> tfd.Distribution:
        """p(x|z), batch shape [K, B]."""
        return self.decode(known["z"], training=training)

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
        return self.posterior.distribution(self.encoder(self._as_batch(x).x, training=training))

    def decode(self, z: Any, training: bool = False) -> tfd.Distribution:
        """p(x|z) of each latent vector.

        Args:
            z: `[..., D]`, or `[..., *latent_shape]`.
            training: bool. Whether the decoder runs in training mode. Defaults to False.

        Returns:
            `tfd.Distribution`, batch shape `[...]`, event shape `event`.

        Raises:
            InputError: if the last axes are not those of one z.
        """
        z = tf.convert_to_tensor(z)
        if z.dtype.is_integer or z.dtype == tf.float64:
            z = tf.cast(z, self.variable_dtype)
        latent, rank = self.latent_shape, len(self.latent_shape)
        if z.shape.rank is None or tuple(z.shape)[-rank:] != latent:
            sizes = ", ".join(map(str, latent))
            raise InputError(
                f"z has shape {tuple(z.shape)}, expected [batch, {sizes}]: "
                f"{sizes} latent dimensions on the last {'axis' if rank == 1 else 'axes'}."
            )
        params = self.decoder(tf.reshape(z, [-1, *latent]), training=training)
        shape = tf.concat([tf.shape(z)[:-rank], [self.likelihood.params_size]], axis=0)
        return self.likelihood.distribution(tf.reshape(params, shape))

    def p_z(self) -> tfd.Distribution:
        """The prior p(z), batch shape [], event shape [D]."""
        return self.prior.distribution(self.encode)

    # Keras.

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


class _Z:
    """The latent z of a `VAE`, whose densities are in the context."""

    def __init__(self, posterior: DistributionLayer) -> None:
        self.point_estimate = posterior.point_estimate

    def p(self, known: dict[str, Any], training: bool = False) -> tfd.Distribution:
        return known["p_z"]

    def q(self, known: dict[str, Any], p: Any, training: bool = False) -> tfd.Distribution:
        return known["q_z_given_x"]

    def advance(self, known: dict[str, Any], training: bool = False) -> dict[str, Any]:
        return {}

    def penalty(self, known: dict[str, Any], q: Any, training: bool = False) -> None:
        return None
