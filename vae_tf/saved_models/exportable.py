"""The protocol of a model that can be exported."""

from typing import Any, Protocol, Self

import keras
import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.inference.moments import Moments
from vae_tf.inference.trace import Trace
from vae_tf.inference.traceable import Traceable
from vae_tf.layers.base import DistributionLayer
from vae_tf.utils.seeds import Seed


class Exportable(Traceable, Protocol):
    """What `vae_tf.saved_models.export` uses of a model: that of `LatentVariableModel`."""

    name: str
    likelihood: DistributionLayer
    dtype_policy: keras.DTypePolicy

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one x."""

    @property
    def latent_dim(self) -> int:
        """D, the number of latent dimensions."""

    @property
    def parts(self) -> dict[str, str]:
        """Names of the distribution layers: "posterior", "likelihood" and "prior"."""

    @property
    def weights(self) -> list[keras.Variable]:
        """All weights."""

    @property
    def trainable_weights(self) -> list[keras.Variable]:
        """Weights that training changes."""

    def generate(self, n: int, seed: tf.Tensor, condition: Any = None) -> Trace:
        """A trace with one draw of the latents from their priors for each of `n` rows."""

    def moments(self, x: Any, seed: Seed = 0) -> dict[str, Moments]:
        """Mean and standard deviation of the posterior of each latent."""

    def sample(
        self, n: int, seed: Seed = None, return_latents: bool = False, condition: Any = None
    ) -> Any:
        """Means of p(x | latents) at `n` draws from the priors, and the latents."""

    def reconstruct(self, x: Any, seed: Seed = None) -> tf.Tensor:
        """The mean of p(x | latents) at the means of the posteriors, `[B, *event]`."""

    def log_prob(self, x: Batch, num_samples: int = 1000, seed: Seed = None) -> tf.Tensor:
        """Importance-weighted estimate of log p(x), `[B]` nats."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The model of `get_config`, with fresh weights."""
