"""The evidence lower bound."""

from typing import Any

import keras
import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.inference.elbo import check_estimator, elbo_terms, kl_divergence_per_dimension
from vae_tf.inference.traceable import Traceable
from vae_tf.objectives.demands import demand_factors, demand_gradient_through_z
from vae_tf.objectives.objective import Objective, ObjectiveTerms, objective_terms
from vae_tf.objectives.schedules import Schedule, as_schedule
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.registry import OBJECTIVES


@OBJECTIVES.register("elbo")
@keras.saving.register_keras_serializable(package="vae_tf")
class ELBO(Objective):
    """The negative evidence lower bound, with a weight on the KL.

        loss = -( 1/K Σ_k log p(x|z_k) - β · KL(q(z|x) || p(z)) ),   z_k ~ q(z|x)

    With several latents the KL is the sum of theirs; a latent with a penalty adds it to the loss.
    β = 1 is the bound of Kingma and Welling (2014), equation 3; another β is the β-VAE of Higgins et
    al. (2017), equation 4. With free bits λ > 0 the KL term of the loss is Σ_d max(λ, mean_B KL_d)
    (Kingma et al. 2016, Improved Variational Inference with Inverse Autoregressive Flow, appendix
    C.8): a dimension whose KL, averaged over the batch, is below λ nats receives no further KL
    gradient. The average is weighted where the examples are.

    Args:
        beta: float or `Schedule`. Weight of the KL. Defaults to 1.
        samples: int. K, draws of z an example. Defaults to 1.
        kl: "analytic" (estimator B of the paper), "monte_carlo" (estimator A), or "auto": analytic
            where TFP knows it. Defaults to "auto".
        free_bits: float. λ, nats per latent dimension. Needs a posterior and a prior that are
            independent over the dimensions. Defaults to 0.

    Raises:
        InputError: for an argument outside its range.
    """

    def __init__(
        self,
        beta: float | Schedule = 1.0,
        samples: int = 1,
        kl: str = "auto",
        free_bits: float = 0.0,
    ) -> None:
        self.beta = as_schedule(beta)
        self.samples = as_count("samples", samples)
        self.kl = check_estimator(kl)
        if not 0 <= free_bits < float("inf"):
            raise InputError(f"free_bits is a number of nats of at least 0; got {free_bits!r}.")
        self.free_bits = float(free_bits)

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
        trace = model.infer(batch, self.samples, seed=seed, training=training)
        terms = elbo_terms(trace, self.kl)
        beta = tf.cast(self.beta(step), terms.kl.dtype)
        kl = terms.kl
        if self.free_bits:
            kl_per_dimension = _batch_mean(
                kl_divergence_per_dimension(trace, self.kl), batch.weight
            )  # [D]
            # The floor is on the batch's mean, so every example has the same.
            floored = tf.reduce_sum(tf.maximum(kl_per_dimension, self.free_bits))
            kl = tf.broadcast_to(floored, tf.shape(kl))
        loss = -(terms.log_likelihood - beta * kl)
        if trace.penalty is not None:
            loss += trace.penalty
        return objective_terms(loss, trace, {"beta": beta} if self.logged else {}, self.kl)

    def check(self, model: Traceable) -> None:
        """Demands a gradient through z, and for free bits densities that factorise."""
        demand_gradient_through_z(model)
        if self.free_bits:
            demand_factors(model)

    @property
    def logged(self) -> tuple[str, ...]:
        """`beta`, where it moves."""
        return ("beta",) if self.beta.warm_up_steps else ()

    @property
    def warm_up_steps(self) -> int:
        """Training steps until β has its final value."""
        return self.beta.warm_up_steps

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "beta": keras.saving.serialize_keras_object(self.beta),
            "samples": self.samples,
            "kl": self.kl,
            "free_bits": self.free_bits,
        }


def _batch_mean(values: tf.Tensor, weight: tf.Tensor | None) -> tf.Tensor:
    """The mean over the batch of `[B, D]`; 0 where no example weighs anything."""
    if weight is None:
        return tf.reduce_mean(values, axis=0)
    weight = tf.cast(weight, values.dtype)[:, tf.newaxis]
    return tf.math.divide_no_nan(tf.reduce_sum(weight * values, axis=0), tf.reduce_sum(weight))
