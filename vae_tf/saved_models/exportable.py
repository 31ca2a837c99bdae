"""The protocol of a model that can be exported."""

from typing import Any, Protocol, Self

import keras
import tensorflow as tf

from vae_tf.inference.elbo import LatentVariableModel
from vae_tf.layers.base import DistributionLayer
from vae_tf.priors.base import Prior
from vae_tf.utils.seeds import Seed


class Exportable(LatentVariableModel, Protocol):
    """The attributes and methods of a model that `vae_tf.saved_models.export` uses: those of `VAE`."""

    name: str
    posterior: DistributionLayer
    likelihood: DistributionLayer
    prior: Prior
    dtype_policy: keras.DTypePolicy

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one x."""

    @property
    def latent_dim(self) -> int:
        """D, the size of one z."""

    @property
    def weights(self) -> list[keras.Variable]:
        """All weights."""

    @property
    def trainable_weights(self) -> list[keras.Variable]:
        """Weights that training changes."""

    def sample(self, n: int, seed: Seed = None, return_latents: bool = False) -> Any:
        """Means of p(x|z) at `n` draws z ~ p(z), `[n, *event]`, and with `return_latents` z."""

    def reconstruct(self, x: Any, seed: Seed = None) -> tf.Tensor:
        """The mean of p(x|z) at the mean of q(z|x), `[B, *event]`."""

    def log_prob(self, x: Any, num_samples: int = 1000, seed: Seed = None) -> tf.Tensor:
        """Importance-weighted estimate of log p(x), `[B]` nats."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The model of `get_config`, with fresh weights."""
