"""The running means that `fit` and `evaluate` log."""

import keras
import tensorflow as tf

from vae_tf.inference.elbo import ElboTerms
from vae_tf.objectives.objective import ObjectiveTerms


class ElboMetrics:
    """Running means of the loss, of the model's ELBO terms and of what the objective logs.

    Args:
        logged: Names of the objective's own logs.
    """

    def __init__(self, logged: tuple[str, ...]) -> None:
        names = ("loss", *ElboTerms._fields, *logged)
        self._means = {name: keras.metrics.Mean(name=name) for name in names}
        self._batches = keras.metrics.Sum(name="batches")
        # An objective need not give all that the model logs, such as the KL of each latent.
        self._given: set[str] = set()

    @property
    def all(self) -> list[keras.metrics.Metric]:
        """What Keras resets at the start of an epoch or an evaluation."""
        return [*self._means.values(), self._batches]

    @property
    def batches(self) -> tf.Tensor:
        """Batches since the last reset, float32 scalar."""
        return self._batches.result()

    def update(
        self, result: ObjectiveTerms, loss: tf.Tensor, weights: tf.Tensor | None
    ) -> dict[str, tf.Tensor]:
        """Takes a batch in, and gives the means so far.

        Args:
            result: The terms of the batch.
            loss: scalar. The loss that was minimised.
            weights: `[B]` weights of the examples, or None.
        """
        batch = tf.shape(result.loss)[0]
        self._batches.update_state(1.0)
        self._means["loss"].update_state(loss, sample_weight=batch)
        for name, value in {**result.terms._asdict(), **result.logs}.items():
            self._given.add(name)
            per_example = value.shape.rank == 1
            self._means[name].update_state(value, sample_weight=weights if per_example else batch)
        return self.result()

    def result(self) -> dict[str, tf.Tensor]:
        """The means since the last reset, of what was given."""
        return {
            name: mean.result()
            for name, mean in self._means.items()
            if name == "loss" or name in self._given
        }
