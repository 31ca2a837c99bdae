"""The base of the objectives."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from vae_tf.inference.batch import Batch, as_batch
from vae_tf.inference.elbo import ElboTerms, elbo_terms, latent_kls
from vae_tf.inference.trace import Trace
from vae_tf.inference.traceable import Traceable


class ObjectiveTerms(NamedTuple):
    """What an objective gives for a batch."""

    loss: tf.Tensor  # [B], to be minimised; the mean over the batch is taken in train_step
    terms: ElboTerms  # the model's real numbers, whatever the objective weighs them with
    logs: dict[str, tf.Tensor]  # further values to log, scalars or [B]


class Objective:
    """Base of the objectives: small serialisable functions of a model and a batch.

    A subclass defines `call` and `get_config`. The reported `elbo`, `log_likelihood` and `kl` are
    those of the model, in nats per example; no weight or schedule of the objective touches them, so
    that runs with different ones compare.
    """

    # Which of "condition" and "label" the objective needs beside x.
    takes: tuple[str, ...] = ()

    # Of the `logged` names, those where more is better.
    higher_is_better: tuple[str, ...] = ()

    def call(
        self,
        model: Traceable,
        batch: Batch,
        *,
        step: tf.Tensor,
        seed: tf.Tensor,
        training: bool = False,
    ) -> ObjectiveTerms:
        """The terms of a batch.

        Args:
            model: Gives traces: latents drawn and scored.
            batch: B examples.
            step: integer scalar. Training steps taken so far.
            seed: int32 tensor of shape [2].
            training: bool. Whether the networks run in training mode.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no `call`")

    def __call__(self, model: Traceable, x: Any, **arguments: Any) -> ObjectiveTerms:
        """`call` on x `[B, *event]`, a dict of named parts, or a `Batch`."""
        return self.call(model, as_batch(x), **arguments)

    def of_batch(self, model: Traceable, batch: Batch, **arguments: Any) -> ObjectiveTerms:
        """`call`, or the `__call__(model, x, ...)` that a subclass of version 0.1 defines."""
        if type(self).__call__ is Objective.__call__:
            return self.call(model, batch, **arguments)
        return self(model, batch.x, **arguments)

    def check(self, model: Traceable) -> None:
        """Compares what the objective demands with the model; `compile` calls it.

        Raises:
            InputError: if the model cannot be trained on the objective.
        """

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


def objective_terms(
    loss: tf.Tensor, trace: Trace, logs: dict[str, tf.Tensor] | None = None, kl: str = "auto"
) -> ObjectiveTerms:
    """The terms of a batch from a trace, with the KL of each latent where there are several.

    Args:
        loss: `[B]`.
        trace: Latents from the posterior.
        logs: Further values to log.
        kl: Estimator of the KL; see `elbo_terms`.
    """
    several = latent_kls(trace, kl) if len(trace.latents) > 1 else {}
    by_name = {f"kl/{name}": value for name, value in several.items()}
    return ObjectiveTerms(loss, elbo_terms(trace, kl), {**by_name, **(logs or {})})


def _revive(value: Any) -> Any:
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
