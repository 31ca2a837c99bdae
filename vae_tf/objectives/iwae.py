"""The importance-weighted bound."""

from typing import Any

import keras
import tensorflow as tf

from vae_tf.inference.elbo import Densities, LatentVariableModel, densities, elbo_terms
from vae_tf.inference.importance_weights import importance_weighted_bound, log_importance_weights
from vae_tf.objectives.objective import Objective, ObjectiveTerms
from vae_tf.utils.checks import as_count


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
        samples: int. K, draws of z an example.
        doubly_reparameterised: bool. Whether the encoder's gradient is the doubly reparameterised
            one. Defaults to False.

    Raises:
        InputError: if `samples` is not an int of at least 1.
    """

    logged = ("iwae_bound",)

    def __init__(self, samples: int = 5, doubly_reparameterised: bool = False) -> None:
        self.samples = as_count("samples", samples)
        self.doubly_reparameterised = bool(doubly_reparameterised)

    def __call__(
        self,
        model: LatentVariableModel,
        x: tf.Tensor,
        *,
        step: tf.Tensor,
        seed: tf.Tensor,
        training: bool = False,
    ) -> ObjectiveTerms:
        """The terms of a batch; see the class and `Objective.__call__`."""
        if self.doubly_reparameterised and training:
            loss, d = _doubly_reparameterised(model, x, samples=self.samples, seed=seed)
        else:
            d = densities(model, x, samples=self.samples, seed=seed, training=training)
            loss = -importance_weighted_bound(log_importance_weights(d))
        return ObjectiveTerms(loss, elbo_terms(d), {"iwae_bound": -loss})

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "samples": self.samples,
            "doubly_reparameterised": self.doubly_reparameterised,
        }


def _doubly_reparameterised(
    model: LatentVariableModel, x: tf.Tensor, *, samples: int, seed: tf.Tensor
) -> tuple[tf.Tensor, Densities]:
    """-L_K, `[B]`, with the doubly reparameterised gradient for the encoder, and the densities.

    log w is taken at a z that is cut off from the encoder, and with q's parameters held, so that its
    own gradient reaches the decoder and the prior alone. The encoder's gradient comes through z.
    """
    q_z_given_x = model.encode(x, training=True)
    q_held = tf.nest.map_structure(tf.stop_gradient, q_z_given_x, expand_composites=True)
    z = q_z_given_x.sample(samples, seed=seed)  # [K, B, D]
    z_held = tf.stop_gradient(z)
    p_z = model.p_z()
    with tf.GradientTape() as tape:
        tape.watch(z_held)
        p_x_given_z = model.decode(z_held, training=True)
        log_p_x_given_z = p_x_given_z.log_prob(tf.cast(x, p_x_given_z.dtype))
        log_w = log_importance_weights(Densities(q_held, p_z, z_held, log_p_x_given_z))  # [K, B]
    dlog_w_dz = tape.gradient(log_w, z_held)  # [K, B, D]

    weights = tf.stop_gradient(tf.nn.softmax(log_w, axis=0))
    pull = tf.stop_gradient(tf.square(weights)[..., tf.newaxis] * dlog_w_dz)
    surrogate = tf.reduce_sum(weights * log_w + tf.reduce_sum(pull * z, axis=-1), axis=0)
    bound = tf.stop_gradient(importance_weighted_bound(log_w) - surrogate) + surrogate
    return -bound, Densities(q_z_given_x, p_z, z, log_p_x_given_z)
