"""The normal with a full covariance matrix, whose density is a number whatever the matrix."""

import math
from collections.abc import Callable

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.distributions.portable_normal import standard_normal

# Squares of it, summed, are still float32 numbers.
_LIMIT = 1e15


class StableMVNTriL(tfd.MultivariateNormalTriL):
    """`tfd.MultivariateNormalTriL` with a log density, and gradients of it, without NaN.

    The density needs L⁻¹ (x - loc), and a triangular matrix with entries of ordinary size can have
    an inverse beyond float32 (its norm grows exponentially with the dimension: Viswanath and
    Trefethen (1998), "Condition numbers of random triangular matrices"). Where float32 can hold the
    result it is TFP's; elsewhere it is a very low density instead of a NaN. The draws are those of
    `portable_normal.standard_normal`.
    """

    def _call_sample_n(
        self, sample_shape: tf.Tensor, seed: tf.Tensor | None, **kwargs: tf.Tensor
    ) -> tf.Tensor:
        return self._scaled(self._standard_draws(sample_shape, seed))

    def _sample_and_log_prob(
        self, sample_shape: tf.Tensor, seed: tf.Tensor | None, **kwargs: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        draws = self._standard_draws(sample_shape, seed)
        return self._scaled(draws), self._log_prob_of(draws)

    def _standard_draws(self, sample_shape: tf.Tensor, seed: tf.Tensor | None) -> tf.Tensor:
        lead = tf.reshape(tf.cast(sample_shape, tf.int32), [-1])
        shape = tf.concat([lead, self.batch_shape_tensor(), self.event_shape_tensor()], axis=0)
        return standard_normal(shape, seed, self.dtype)

    def _scaled(self, draws: tf.Tensor) -> tf.Tensor:
        return self.loc + tf.linalg.matvec(self.scale_tril, draws)

    def _log_prob_of(self, standardized: tf.Tensor) -> tf.Tensor:
        log_determinant = tf.reduce_sum(tf.math.log(tf.linalg.diag_part(self.scale_tril)), axis=-1)
        terms = standardized**2 + math.log(2 * math.pi)
        return -0.5 * tf.reduce_sum(terms, axis=-1) - log_determinant

    def _log_prob(self, x: tf.Tensor) -> tf.Tensor:
        return self._log_prob_of(_solve(self.scale_tril, tf.cast(x, self.dtype) - self.loc))


@tfd.RegisterKL(StableMVNTriL, tfd.Independent)
def _kl_mvn_tril_independent_normal(
    a: StableMVNTriL, b: tfd.Distribution, name: str | None = None
) -> tf.Tensor:
    """KL(N(m, L Lᵀ) || N(μ, diag σ²)).

    ½ Σ_i [Σ_j L_ij² / σ_i² + (m_i - μ_i)² / σ_i² - 1] + Σ_i log(σ_i / L_ii)
    """
    normal = b.distribution
    if not isinstance(normal, tfd.Normal) or b.event_shape.rank != 1:
        raise NotImplementedError(f"No KL({a.name} || {b.name}) is known analytically.")
    with tf.name_scope(name or "kl_mvn_tril_independent_normal"):
        tril, scale = a.scale_tril, normal.scale
        squares = tf.reduce_sum((tril / scale[..., tf.newaxis]) ** 2, axis=-1)
        squares += ((a.loc - normal.loc) / scale) ** 2
        log_ratio = tf.math.log(scale) - tf.math.log(tf.linalg.diag_part(tril))
        return tf.reduce_sum(0.5 * (squares - 1) + log_ratio, axis=-1)


@tfd.RegisterKL(StableMVNTriL, StableMVNTriL)
def _kl_mvn_tril(a: StableMVNTriL, b: StableMVNTriL, name: str | None = None) -> tf.Tensor:
    """KL(N(m, L Lᵀ) || N(μ, M Mᵀ)) = ½ [‖M⁻¹ L‖² + |M⁻¹ (m - μ)|² - D] + Σ_i log(M_ii / L_ii)."""
    with tf.name_scope(name or "kl_mvn_tril"):
        batch = tf.broadcast_dynamic_shape(a.batch_shape_tensor(), b.batch_shape_tensor())

        def spread(matrix: tf.Tensor) -> tf.Tensor:
            return tf.broadcast_to(matrix, tf.concat([batch, tf.shape(matrix)[-2:]], axis=0))

        difference = (a.loc - b.loc)[..., tf.newaxis]
        columns = tf.concat([spread(a.scale_tril), spread(difference)], axis=-1)
        squares = tf.reduce_sum(_solve_columns(spread(b.scale_tril), columns) ** 2, axis=[-2, -1])
        log_b, log_a = (tf.math.log(tf.linalg.diag_part(d.scale_tril)) for d in (b, a))
        return 0.5 * squares + tf.reduce_sum(log_b - log_a - 0.5, axis=-1)


def _solve(tril: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """L⁻¹ x, of `[*batch, D, D]` and `[*lead, *batch, D]`, without NaN in value or gradient."""
    batch = tf.shape(tril)[:-2]
    size = tf.shape(tril)[-1]
    # Draws share a matrix: they are its right-hand sides, so that no copy of it is made for each.
    columns = tf.reshape(x, tf.concat([[-1], batch, [size]], axis=0))
    rank = columns.shape.rank
    columns = tf.transpose(columns, [*range(1, rank), 0])  # [*batch, D, draws]
    solved = _solve_columns(tril, columns)
    solved = tf.transpose(solved, [rank - 1, *range(rank - 1)])
    return tf.reshape(solved, tf.shape(x))


@tf.custom_gradient
def _solve_columns(tril: tf.Tensor, rhs: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    solved = _finite(tf.linalg.triangular_solve(tril, rhs), _LIMIT)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        to_rhs = _finite(tf.linalg.triangular_solve(tril, upstream, adjoint=True), 0.0)
        to_tril = -tf.linalg.matmul(to_rhs, solved, transpose_b=True)
        return tf.linalg.band_part(to_tril, -1, 0), to_rhs

    return solved, gradient


def _finite(x: tf.Tensor, instead: float) -> tf.Tensor:
    x = tf.where(tf.math.is_nan(x), tf.constant(instead, x.dtype), x)
    return tf.clip_by_value(x, -_LIMIT, _LIMIT)
