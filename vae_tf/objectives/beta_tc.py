"""The total-correlation objective."""

import math
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

    β-TCVAE of Chen et al. (2018), Isolating Sources of Disentanglement, equation 4, with the
    aggregated posterior q(z) and its marginals q(z_d) estimated within the batch by minibatch-weighted
    sampling (their equation 5): log q(z_i) ≈ log 1/(N B) Σ_j q(z_i|x_j). α = β = γ = 1 is the ELBO by
    Monte Carlo, whatever N. The estimates are also logged, in nats: `mutual_information`,
    `total_correlation` (biased for batches much smaller than N) and `dimension_wise_kl`.

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
        batch = tf.cast(tf.shape(z)[0], z.dtype)
        log_nb = tf.math.log(batch) + math.log(self.dataset_size)
        log_q_z = tf.reduce_logsumexp(tf.reduce_sum(log_q_pairs, axis=-1), axis=1) - log_nb  # [B]
        log_q_z_d = tf.reduce_logsumexp(log_q_pairs, axis=1) - log_nb  # [B, D]

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
