"""Ways to give each latent of a trace its value: drawn, given, enumerated."""

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.trace import Choice, Choose
from vae_tf.inference.traceable import LatentNode
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import fold_in, two_words

DRAWS = 256
"""Draws of a moment that has no closed form."""


def draw_q(seed: tf.Tensor) -> Choose:
    """Draws each latent from q(z | x, parents).

    Args:
        seed: int32 tensor of shape [2]. The first latent has the draws of `seed` itself.
    """

    def choose(index: int, name: str, q: Any, p: Any, lead: list[Any]) -> Choice:
        if q is None:
            raise InputError(f"The latent {name!r} has no posterior to draw from; give it one.")
        shape, own_seed = _missing(q, lead), _seed(seed, index)
        if _is_flow(q):
            z, log_q = q.experimental_sample_and_log_prob(shape, seed=own_seed)
            return Choice(z, q, drawn=True, log_q=log_q)
        return Choice(q.sample(shape, seed=own_seed), q, drawn=True)

    return choose


def draw_p(seed: tf.Tensor) -> Choose:
    """Draws each latent from its prior p(z | parents)."""

    def choose(index: int, name: str, q: Any, p: Any, lead: list[Any]) -> Choice:
        return Choice(p.sample(_missing(p, lead), seed=_seed(seed, index)))

    return choose


def draw_p_by_row(seeds: tf.Tensor) -> Choose:
    """Draws each latent from a prior that is the same for all rows, by a seed for each row.

    Row i of the first latent has the draws of `draw_p(two_words(seeds[i]))`.

    Args:
        seeds: int64 `[B]`.
    """

    def choose(index: int, name: str, q: Any, p: Any, lead: list[Any]) -> Choice:
        draws = tf.map_fn(
            lambda seed: p.sample(1, seed=_seed(two_words(seed), index))[0],
            seeds,
            fn_output_signature=tf.TensorSpec(p.event_shape, p.dtype),
        )
        return Choice(draws if len(lead) == 1 else draws[tf.newaxis])

    return choose


def given(z: Mapping[str, tf.Tensor]) -> Choose:
    """Takes the values `z`: name -> `[K, B, *event]`."""

    def choose(index: int, name: str, q: Any, p: Any, lead: list[Any]) -> Choice:
        return Choice(z[name], q)

    return choose


def at_point_estimate(nodes: Mapping[str, LatentNode]) -> Choose:
    """Takes the point estimate of q of each latent, its mean as a rule, of the latents `nodes`."""

    def choose(index: int, name: str, q: Any, p: Any, lead: list[Any]) -> Choice:
        z = nodes[name].point_estimate(q)
        return Choice(tf.broadcast_to(z, [*lead, *q.event_shape]))

    return choose


def at_mean_of_draws(seed: tf.Tensor) -> Choose:
    """Takes the mean of 256 draws from q of each latent, for a q whose mean TFP does not know.

    The draws of a row depend on its place in the batch, so rows go through one by one.
    """

    def choose(index: int, name: str, q: Any, p: Any, lead: list[Any]) -> Choice:
        z = tf.reduce_mean(q.sample(DRAWS, seed=_seed(seed, index)), axis=0)
        return Choice(tf.broadcast_to(z, [*lead, *q.event_shape]))

    return choose


def enumerated(name: str, values: int, label: tf.Tensor | None, others: Choose) -> Choose:
    """Gives a one-hot latent each of its values, and chooses the others by `others`.

    The trace needs K = `values` times S entries for S draws of the other latents. Where the value is
    known, only its entries count, and q(y|x) does not enter.

    Args:
        name: str. Name of the latent, whose q is over one-hot vectors `[values]`.
        values: int. Number of its values.
        label: `[B]` known values, negative where unknown; or None: all are unknown.
        others: The choice of the other latents.
    """

    def choose(index: int, latent: str, q: Any, p: Any, lead: list[Any]) -> Choice:
        if latent != name:
            return others(index, latent, q, p, lead)
        draws = lead[0] // values
        one_hot = tf.repeat(tf.eye(values, dtype=q.dtype), draws, axis=0)[:, tf.newaxis]
        z = tf.broadcast_to(one_hot, [*lead, values])
        log_q = q.log_prob(z)
        log_mix = log_q
        if label is not None:
            known = tf.cast(label, tf.int32) >= 0  # [B]
            chosen = tf.one_hot(tf.cast(label, tf.int32), values, dtype=q.dtype)  # [B, values]
            log_chosen = tf.math.log(tf.reduce_sum(z * chosen, axis=-1))  # 0 or -inf, [K, B]
            log_mix = tf.where(known, log_chosen, log_q)
            log_q = tf.where(known, tf.zeros_like(log_q), log_q)
        return Choice(z, q, log_q=log_q, log_mix=log_mix - math.log(draws), draws=draws)

    return choose


def _is_flow(q: tfd.Distribution) -> bool:
    """Whether q is a transformed distribution whose inverse may be slow."""
    normal = tfd.MultivariateNormalLinearOperator
    return isinstance(q, tfd.TransformedDistribution) and not isinstance(q, normal)


def _missing(distribution: tfd.Distribution, lead: list[Any]) -> list[Any]:
    """The axes of [K, B] that the batch shape of a distribution lacks."""
    return lead[: len(lead) - len(distribution.batch_shape)]


def _seed(seed: tf.Tensor, index: int) -> tf.Tensor:
    return seed if index == 0 else fold_in(seed, index)
