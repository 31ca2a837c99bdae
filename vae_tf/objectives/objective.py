"""The base of the objectives."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from vae_tf.inference.elbo import ElboTerms, LatentVariableModel


class ObjectiveTerms(NamedTuple):
    """What an objective gives for a batch."""

    loss: tf.Tensor  # [B], to be minimised; the mean over the batch is taken in VAE.train_step
    terms: ElboTerms  # the model's real numbers, whatever the objective weighs them with
    logs: dict[str, tf.Tensor]  # further values to log, scalars or [B]


class Objective:
    """Base of the objectives: small serialisable functions of a model and a batch.

    The reported `elbo`, `log_likelihood` and `kl` are those of the model, in nats per example; no
    weight or schedule of the objective touches them, so that runs with different ones compare.
    """

    def __call__(
        self,
        model: LatentVariableModel,
        x: tf.Tensor,
        *,
        step: tf.Tensor,
        seed: tf.Tensor,
        training: bool = False,
    ) -> ObjectiveTerms:
        """The terms of a batch.

        Args:
            model: The densities q(z|x), p(z), p(x|z).
            x: `[B, *event]`.
            step: integer scalar. Training steps taken so far.
            seed: int32 tensor of shape [2].
            training: bool. Whether the networks run in training mode.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no `__call__`")

    @property
    def logged(self) -> tuple[str, ...]:
        """Names of the `logs`, known before the first batch."""
        return ()

    @property
    def warm_up_steps(self) -> int:
        """Training steps until the objective has its final form; 0 without a schedule."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        raise NotImplementedError(f"{type(self).__name__} defines no `get_config`")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Objective":
        """The objective with these constructor's arguments."""
        return cls(**{key: _revive(value) for key, value in config.items()})

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        arguments = ", ".join(
            f"{key}={_revive(value)!r}" for key, value in self.get_config().items()
        )
        return f"{type(self).__name__}({arguments})"


def _revive(value: Any) -> Any:
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
