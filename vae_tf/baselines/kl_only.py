"""The objective of the KL alone."""

from typing import Any

import keras
import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.inference.elbo import elbo_terms
from vae_tf.inference.traceable import Traceable
from vae_tf.objectives.objective import Objective, ObjectiveTerms, objective_terms


@keras.saving.register_keras_serializable(package="vae_tf")
class KLOnly(Objective):
    """loss = KL(q(z|x) || p(z)): half of the negative ELBO, to show what the half does alone.

    Its minimum is q(z|x) = p(z) for every x: codes that say nothing. The other half alone is
    `ELBO(beta=0)`. The decoder is not trained.
    """

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
        terms = elbo_terms(trace)
        # The zero gives the decoder a gradient, without which Keras warns at every training.
        return objective_terms(terms.kl + 0.0 * terms.log_likelihood, trace)

    def get_config(self) -> dict[str, Any]:
        """No arguments."""
        return {}
