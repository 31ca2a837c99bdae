"""The one pass in which latents are drawn and scored."""

import math
from collections.abc import Callable
from functools import cached_property, reduce
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.importance_weights import importance_weighted_bound


class Choice(NamedTuple):
    """The value of a latent.

    Attributes:
        z: `[K, B, *event]`.
        q: The posterior that scores z, or None where there is none.
        drawn: bool. Whether z is a draw from q: a closed-form KL holds for draws alone.
        log_q: `[K, B]`, nats, where it is known already: of a draw from a flow it costs no inverse.
        log_mix: `[K, B]`, log weights of the entries in a mean over K; None: each has 1/K.
        draws: int. With `log_mix`, the number of independent draws among the K entries.
    """

    z: tf.Tensor
    q: tfd.Distribution = None
    drawn: bool = False
    log_q: tf.Tensor = None
    log_mix: tf.Tensor = None
    draws: int = 1


# Of a latent's number, its name, q (None where nothing is inferred), p, and [K, B].
Choose: TypeAlias = Callable[
    [int, str, tfd.Distribution | None, tfd.Distribution, list[Any]], Choice
]


class Latent:
    """One latent variable of a trace. Its densities are computed when they are first asked for.

    Args:
        p: Its prior, given the latents above.
        choice: Its value.
        penalty: `[B]` or `[K, B]`, nats: a term of the loss that is neither likelihood nor KL; or None.

    Attributes:
        z: `[K, B, *event]`.
        q: The posterior that z was drawn from; None where z was given or enumerated.
        p: The prior.
        penalty: As above.
    """

    def __init__(self, p: tfd.Distribution, choice: Choice, penalty: tf.Tensor = None) -> None:
        self.p = p
        self.z = choice.z
        self.q: tfd.Distribution = choice.q if choice.drawn else None
        self.penalty = penalty
        self._choice = choice

    @cached_property
    def log_q(self) -> tf.Tensor:
        """Log q(z | x, latents above), nats, `[K, B]`; None where there is no posterior."""
        known, q = self._choice.log_q, self._choice.q
        return known if known is not None or q is None else q.log_prob(self.z)

    @cached_property
    def log_p(self) -> tf.Tensor:
        """Log p(z | latents above), nats, `[K, B]`."""
        return self.p.log_prob(self.z)


class Trace(NamedTuple):
    """Latents and data with their log densities, for K draws of B examples.

    A trace without the axis of K has `[B, ...]` where `[K, B, ...]` stands here; it is for generating,
    and has no means over K.

    Attributes:
        latents: Name -> `Latent`, parents first.
        p_x: p(x | latents), batch shape [K, B], or None where it was not asked for.
        log_likelihood: `[K, B]`, nats: log p(x | latents), or None without x.
        context: What the model computed before any latent, for another trace of the same batch.
        draws: int. S, the number of independent draws: K, or K over the number of enumerated values.
        log_mix: `[K, B]`, log weights of the K entries in a mean over them; None: each has 1/K.
    """

    latents: dict[str, Latent]
    p_x: tfd.Distribution
    log_likelihood: tf.Tensor
    context: dict[str, Any]
    draws: int
    log_mix: tf.Tensor | None = None

    @property
    def z(self) -> dict[str, tf.Tensor]:
        """Name -> `[K, B, *event]`."""
        return {name: latent.z for name, latent in self.latents.items()}

    @property
    def log_prior(self) -> tf.Tensor:
        """Log p(latents), nats, `[K, B]`."""
        return _sum([latent.log_p for latent in self.latents.values()])

    @property
    def log_q(self) -> tf.Tensor:
        """Log q(latents | x), nats, `[K, B]`."""
        return _sum([latent.log_q for latent in self.latents.values()])

    @property
    def log_joint(self) -> tf.Tensor:
        """Log p(x, latents), nats, `[K, B]`."""
        return _sum([self.log_likelihood, *[one.log_p for one in self.latents.values()]])

    @property
    def log_weights(self) -> tf.Tensor:
        """Log w = log p(x, latents) - log q(latents | x), nats, `[K, B]`."""
        log_w = self.log_likelihood
        for latent in self.latents.values():
            log_w = log_w + latent.log_p - latent.log_q
        return log_w

    @property
    def penalty(self) -> tf.Tensor | None:
        """The sum of the penalties of the latents, `[B]`, or None where there are none."""
        penalties = [one.penalty for one in self.latents.values() if one.penalty is not None]
        return self.mean(_sum(penalties)) if penalties else None

    def mean(self, values: tf.Tensor) -> tf.Tensor:
        """The mean over the K entries, `[K, B, ...]` -> `[B, ...]`."""
        if self.log_mix is None:
            return tf.reduce_mean(values, axis=0)
        mix = tf.reshape(
            self.log_mix, [*tf.unstack(tf.shape(self.log_mix)), *[1] * (len(values.shape) - 2)]
        )
        return tf.reduce_sum(tf.exp(mix) * values, axis=0)

    @property
    def normalised_weights(self) -> tf.Tensor:
        """Importance weights that sum to 1 over the K entries, `[K, B]`."""
        mix = 0.0 if self.log_mix is None else self.log_mix
        return tf.nn.softmax(self.log_weights + mix, axis=0)

    @property
    def log_estimates(self) -> tf.Tensor:
        """Log of an unbiased estimate of p(x) from each of S independent draws, nats, `[S, B]`.

        The importance weight w of a draw; with enumerated values y, Σ_y q(y|x) w_y.
        """
        log_w = self.log_weights
        if self.log_mix is None:
            return log_w
        # The enumerated values of a draw are S entries apart; those of all draws sum to 1.
        by_value = tf.reshape(log_w + self.log_mix, [-1, self.draws, tf.shape(log_w)[1]])
        return tf.reduce_logsumexp(by_value, axis=0) + math.log(self.draws)

    def bound(self) -> tf.Tensor:
        """L_S = log 1/S Σ_s of the `log_estimates`, nats, `[B]`; see `importance_weighted_bound`."""
        return importance_weighted_bound(self.log_estimates)


def _sum(terms: list[Any]) -> tf.Tensor:
    return reduce(lambda a, b: a + b, terms)
