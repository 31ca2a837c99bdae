"""The protocols of a model and of a latent, as objectives and estimators use them."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.batch import Batch
from vae_tf.inference.trace import Choose, Trace

LogJoint = Callable[[Mapping[str, tf.Tensor]], tf.Tensor]


class LatentNode(Protocol):
    """One latent variable of a model: its prior, its posterior, and what follows from its value.

    `known` has the condition, the features of x and the values of the latents above, by name.
    """

    def p(self, known: dict[str, Any], training: bool = False) -> tfd.Distribution:
        """The prior given the latents above, batch shape [], [B] or [K, B]."""

    def q(
        self, known: dict[str, Any], p: tfd.Distribution, training: bool = False
    ) -> tfd.Distribution | None:
        """The posterior given x and the latents above, batch shape [B] or [K, B]; None without one."""

    def advance(self, known: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Further values for the latents below, such as a deterministic state; {} without."""

    def penalty(
        self, known: dict[str, Any], q: tfd.Distribution | None, training: bool = False
    ) -> tf.Tensor | None:
        """A term of the loss, `[B]` or `[K, B]`; None without."""

    def point_estimate(self, q: tfd.Distribution) -> tf.Tensor:
        """The value that stands for q in a reconstruction: its mean, as a rule."""


class Traceable(Protocol):
    """A latent-variable model as the objectives and the estimators see it."""

    @property
    def nodes(self) -> Mapping[str, LatentNode]:
        """The latent variables by name, parents first."""

    def example_batch(self, rows: int) -> Batch:
        """A batch of zeros in the shapes and dtypes that the model takes."""

    def trace(
        self,
        batch: Batch,
        choose: Choose,
        samples: int | None = 1,
        *,
        infer: bool = True,
        training: bool = False,
        context: dict[str, Any] | None = None,
        rows: Any = None,
        likelihood: bool = True,
    ) -> Trace:
        """The latents that `choose` gives, scored; see `vae_tf.models.traced_model`."""

    def infer(
        self,
        batch: Batch,
        samples: int = 1,
        *,
        seed: tf.Tensor,
        training: bool = False,
        **options: Any,
    ) -> Trace:
        """A trace with latents from the posterior."""

    def constants(self) -> dict[str, Any]:
        """What depends on neither x nor condition nor latents."""

    def context(self, batch: Batch, infer: bool = True, training: bool = False) -> dict[str, Any]:
        """What is known before any latent; see `vae_tf.models.traced_model`."""

    def log_joint(self, batch: Batch, context: dict[str, Any] | None = None) -> LogJoint:
        """The function latents -> log p(x, latents), nats."""
