"""One latent variable of a model."""

from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.conditional import Conditional
from vae_tf.priors import Prior
from vae_tf.utils.errors import InputError


@keras.saving.register_keras_serializable(package="vae_tf")
class Node(keras.layers.Layer):
    """A latent variable: its prior and its posterior, each given what stands above it.

    A subclass may define `advance`, for a deterministic state that runs beside the latents, and
    `penalty`, for a further term of the loss.

    Args:
        prior: `Prior`, for a latent without parents, or `Conditional`.
        posterior: `Conditional`, or None for a latent that is never inferred. Defaults to None.
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if either is something else.
    """

    def __init__(
        self, prior: Prior | Conditional, posterior: Conditional | None = None, **kwargs: Any
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        if not isinstance(prior, Prior | Conditional):
            raise InputError(f"prior is a Prior or a Conditional; got {prior!r}.")
        if posterior is not None and not isinstance(posterior, Conditional):
            raise InputError(f"posterior is a Conditional, or None; got {posterior!r}.")
        self.prior = prior
        self.posterior = posterior
        self.built = True

    def p(self, known: dict[str, Any], training: bool = False) -> tfd.Distribution:
        """The prior given the latents above, batch shape [], [B] or [K, B]."""
        if isinstance(self.prior, Prior):
            return self.prior.distribution()
        return self.prior.distribution(known, training)

    def q(
        self, known: dict[str, Any], p: tfd.Distribution, training: bool = False
    ) -> tfd.Distribution | None:
        """The posterior given x and the latents above, batch shape [B] or [K, B]."""
        return None if self.posterior is None else self.posterior.distribution(known, training)

    def advance(self, known: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Further values for the latents below, by name; `known` has this latent's. None here."""
        return {}

    def penalty(
        self, known: dict[str, Any], q: tfd.Distribution | None, training: bool = False
    ) -> tf.Tensor | None:
        """A further term of the loss, `[B]` or `[K, B]` nats. None here."""
        return None

    def point_estimate(self, q: tfd.Distribution) -> tf.Tensor:
        """The value that stands for q in a reconstruction."""
        return q.mean() if self.posterior is None else self.posterior.layer.point_estimate(q)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        config.pop("autocast", None)
        return {
            **config,
            "prior": keras.saving.serialize_keras_object(self.prior),
            "posterior": keras.saving.serialize_keras_object(self.posterior),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Node":
        """The node of `get_config`, with fresh weights."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("prior", "posterior")
        }
        return cls(**{**config, **parts})
