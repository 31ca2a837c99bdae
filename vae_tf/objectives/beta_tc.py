"""The total-correlation objective."""

from typing import Any

import keras
import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.inference.elbo import factors
from vae_tf.inference.traceable import Traceable
from vae_tf.objectives.demands import (
    demand_factors,
    demand_gradient_through_z,
    demand_one_latent,
)
from vae_tf.objectives.objective import Objective, ObjectiveTerms, objective_terms
from vae_tf.objectives.schedules import Schedule, as_schedule
from vae_tf.utils.checks import as_count
from vae_tf.utils.registry import OBJECTIVES


@OBJECTIVES.register("beta_tc")
@keras.saving.register_keras_serializable(package="vae_tf")
class BetaTC(Objective):
    """The negative ELBO with its KL taken apart and each part weighted.

        loss = -( E_q log p(x|z) - α I(z; x) - β TC(z) - γ Σ_d KL(q(z_d) || p(z_d)) )

    β-TCVAE of Chen et al. (2018), Isolating Sources of Disentanglement, equation 4. The aggregated
    posterior q(z) and its marginals q(z_d) are estimated within the batch by minibatch stratified
    sampling, their appendix C:

        q(z_i) ≈ 1/N q(z_i|x_i) + (N-1)/(N (B-1)) Σ_{j≠i} q(z_i|x_j)

    The paper gives one of the other examples another weight than the rest; here each has the mean of
    these weights, so that the order within the batch does not matter. Weighted examples have their
    share of the sum. α = β = γ = 1 is the ELBO by Monte Carlo, whatever N.

    The parts are also logged, in nats: `mutual_information`, `total_correlation` and
    `dimension_wise_kl`. The estimate of q(z) is unbiased and exact for B = N, but its logarithm is
    too low on average in a smaller batch, so that the mutual information, at most log N, is too
    large.

    Needs a posterior and a prior that are independent over the latent dimensions.

    Args:
        dataset_size: int. N, number of training examples.
        beta: float or `Schedule`. Weight of the total correlation. Defaults to 6, as in the paper.
        alpha: float or `Schedule`. Weight of the mutual information. Defaults to 1.
        gamma: float or `Schedule`. Weight of the dimension-wise KL. Defaults to 1.

    Raises:
        InputError: for an argument outside its range.
    """

    logged = ("mutual_information", "total_correlation", "dimension_wise_kl")

    def __init__(
        self,
        dataset_size: int,
        beta: float | Schedule = 6.0,
        alpha: float | Schedule = 1.0,
        gamma: float | Schedule = 1.0,
    ) -> None:
        self.dataset_size = as_count("dataset_size", dataset_size)
        self.beta = as_schedule(beta)
        self.alpha = as_schedule(alpha)
        self.gamma = as_schedule(gamma)

    def call(
        self,
        model: Traceable,
        batch: Batch,
        *,
        step: tf.Tensor,
        seed: tf.Tensor,
        training: bool = False,
    ) -> ObjectiveTerms:
        """The terms of a batch; see the class and `Objective.call`."""
        trace = model.infer(batch, seed=seed, training=training)
        (latent,) = trace.latents.values()
        z = latent.z[0]  # [B, D]
        q_z_d_given_x, p_z_d = factors(latent.q, "posterior"), factors(latent.p, "prior")
        log_p_z_d = p_z_d.log_prob(z)  # [B, D]
        log_q_z_given_x = latent.q.log_prob(z)  # [B]

        # Row i, column j: log q(z_i|x_j), and the same of each dimension.
        log_q_pairs = q_z_d_given_x.log_prob(z[:, tf.newaxis, :])  # [B, B, D]
        weight = tf.ones_like(z[:, 0]) if batch.weight is None else tf.cast(batch.weight, z.dtype)
        log_share = _log_shares(weight, self.dataset_size)
        log_q_z = tf.reduce_logsumexp(
            tf.reduce_sum(log_q_pairs, axis=-1) + log_share, axis=1
        )  # [B]
        log_q_z_d = tf.reduce_logsumexp(log_q_pairs + log_share[..., tf.newaxis], axis=1)  # [B, D]

        mutual_information = log_q_z_given_x - log_q_z
        total_correlation = log_q_z - tf.reduce_sum(log_q_z_d, axis=-1)
        dimension_wise_kl = tf.reduce_sum(log_q_z_d - log_p_z_d, axis=-1)

        loss = -trace.mean(trace.log_likelihood)
        parts = (mutual_information, total_correlation, dimension_wise_kl)
        for weight, part in zip((self.alpha, self.beta, self.gamma), parts, strict=True):
            loss += tf.cast(weight(step), part.dtype) * part
        return objective_terms(loss, trace, dict(zip(self.logged, parts, strict=True)))

    def check(self, model: Traceable) -> None:
        """Demands one latent, a gradient through it, and densities that factorise."""
        demand_one_latent(model, "BetaTC")
        demand_gradient_through_z(model)
        demand_factors(model)

    @property
    def warm_up_steps(self) -> int:
        """Training steps until the weights have their final values."""
        return max(w.warm_up_steps for w in (self.alpha, self.beta, self.gamma))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        schedules = {"beta": self.beta, "alpha": self.alpha, "gamma": self.gamma}
        return {
            "dataset_size": self.dataset_size,
            **{name: keras.saving.serialize_keras_object(s) for name, s in schedules.items()},
        }


def _log_shares(weight: tf.Tensor, dataset_size: int) -> tf.Tensor:
    """The logarithm of what q(z_i|x_j) counts for in q(z_i), `[B, B]`; each row adds up to 1.

    Args:
        weight: `[B]` weights of the examples.
        dataset_size: int. N.
    """
    own = tf.eye(tf.shape(weight)[0], dtype=weight.dtype)
    others = weight * (1 - own)  # row i: the weights of all but i
    total = tf.reduce_sum(others, axis=1, keepdims=True)
    of_others = 1 - 1 / dataset_size
    share = own / dataset_size + of_others * tf.math.divide_no_nan(others, total)
    # An example that no other weighs against is all there is of q(z).
    return tf.math.log(tf.where(total > 0, share, own))
