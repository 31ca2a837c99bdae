"""The importance-weighted bound."""

from typing import Any

import keras
import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.inference.choices import draw_q, given
from vae_tf.inference.trace import Trace
from vae_tf.inference.traceable import Traceable
from vae_tf.objectives.demands import demand_gradient_through_z
from vae_tf.objectives.objective import Objective, ObjectiveTerms, objective_terms
from vae_tf.utils.checks import as_count
from vae_tf.utils.registry import OBJECTIVES


@OBJECTIVES.register("iwae")
@keras.saving.register_keras_serializable(package="vae_tf")
class IWAE(Objective):
    """The negative importance-weighted bound of Burda et al. (2016), equation 8.

        loss = -L_K = -log 1/K Σ_k p(x|z_k) p(z_k) / q(z_k|x),   z_k ~ q(z|x)

    K = 1 is the ELBO. The value is also logged as `iwae_bound`.

    With `doubly_reparameterised=True` the gradient of the encoder is that of Tucker et al. (2019),
    Doubly Reparameterized Gradient Estimators, equation 8, whose variance does not grow with K:

        ∇_φ = Σ_k w̃_k² ∂log w_k/∂z_k · ∂z_k/∂φ,   w̃ = w / Σ w

    The gradient of the decoder and the prior is the same in both.

    Args:
        samples: int. K, draws of z an example. Defaults to 5.
        doubly_reparameterised: bool. Whether the encoder's gradient is the doubly reparameterised
            one. Defaults to False.

    Raises:
        InputError: if `samples` is not an int of at least 1.
    """

    logged = ("iwae_bound",)
    higher_is_better = ("iwae_bound",)

    def __init__(self, samples: int = 5, doubly_reparameterised: bool = False) -> None:
        self.samples = as_count("samples", samples)
        self.doubly_reparameterised = bool(doubly_reparameterised)

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
        if self.doubly_reparameterised and training:
            bound, trace = _doubly_reparameterised(model, batch, self.samples, seed)
        else:
            trace = model.infer(batch, self.samples, seed=seed, training=training)
            bound = trace.bound()
        loss = -bound if trace.penalty is None else trace.penalty - bound
        return objective_terms(loss, trace, {"iwae_bound": bound})

    def check(self, model: Traceable) -> None:
        """Demands a gradient through z."""
        demand_gradient_through_z(model)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "samples": self.samples,
            "doubly_reparameterised": self.doubly_reparameterised,
        }


def _doubly_reparameterised(
    model: Traceable, batch: Batch, samples: int, seed: tf.Tensor
) -> tuple[tf.Tensor, Trace]:
    """L_K `[B]` with the doubly reparameterised gradient for the encoder, and the trace.

    One trace draws z. The other takes z as given, cut off from the encoder: the gradient of its log
    joint reaches the decoder and the prior alone, and its derivative with respect to z, which in a
    hierarchy runs through the densities of the latents below too, is the encoder's by way of z.
    """
    drawn = model.trace(batch, draw_q(seed), samples, training=True, likelihood=False)
    held = {name: tf.stop_gradient(z) for name, z in drawn.z.items()}
    with tf.GradientTape() as tape:
        tape.watch(held)
        scored = model.trace(batch, given(held), samples, training=True, context=drawn.context)
        log_w = scored.log_weights  # [K, B]
    dlog_w_dz = tape.gradient(log_w, held)  # name -> [K, B, *event]

    weights = tf.stop_gradient(scored.normalised_weights)
    surrogate = weights * (scored.log_joint - tf.stop_gradient(scored.log_q))
    for name, z in drawn.z.items():
        event = list(range(2, len(z.shape)))
        square = tf.reshape(tf.square(weights), [*tf.unstack(tf.shape(weights)), *[1] * len(event)])
        pull = tf.stop_gradient(square * dlog_w_dz[name])
        surrogate += tf.reduce_sum(pull * z, axis=event)
    surrogate = tf.reduce_sum(surrogate, axis=0)
    bound = tf.stop_gradient(scored.bound() - surrogate) + surrogate
    return bound, drawn._replace(p_x=scored.p_x, log_likelihood=scored.log_likelihood)
