"""A prior made of the model's own posteriors."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import EventShape, as_shape, bounded
from vae_tf.priors.base import Encode, Prior
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


@keras.saving.register_keras_serializable(package="vae_tf")
class VampPrior(Prior):
    """p(z) = 1/K Σ_k q(z|u_k), the posteriors of K learned pseudo-inputs u_k.

    Tomczak and Welling (2018), "VAE with a VampPrior", equation 9. The pseudo-inputs (the weight
    `pseudo_inputs`, `[K, *event_shape]`) are learned with the model, and the gradient flows through
    the encoder too. They are clipped to `support` where the encoder reads them, as in the paper;
    the gradient passes outside it, so that none is stuck there. They start at N(mean, stddev²), or,
    better, at data: `initialize`. There is no analytic KL to this prior.

    One call encodes K inputs, so ask for the distribution once a step; its log density at S draws
    for B examples holds S B K D numbers.

    Args:
        latent_dim: int. Size D of a latent vector.
        event_shape: int or sequence of ints. Shape of one observation.
        num_components: int. Number K of pseudo-inputs. Defaults to 500.
        support: pair of floats. The interval that observations lie in. Defaults to (0, 1).
        mean: float. Mean of the initial pseudo-inputs. Defaults to None, the middle of `support`
            (0 where it has none).
        stddev: float. Their standard deviation. Defaults to 0.1.
        seed: int. Seed of the initial pseudo-inputs: the same seed gives the same. Defaults to 0.
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `latent_dim`, `event_shape`, `num_components` or `support` is not as above.
    """

    def __init__(
        self,
        latent_dim: int,
        event_shape: EventShape,
        num_components: int = 500,
        support: tuple[float, float] = (0.0, 1.0),
        mean: float | None = None,
        stddev: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(latent_dim, **kwargs)
        self.event_shape = as_shape(event_shape)
        self.num_components = as_count("num_components", num_components)
        try:
            low, high = (float(bound) for bound in support)
        except (TypeError, ValueError) as error:
            raise InputError(f"support is a pair of numbers; got {support!r}.") from error
        if not low < high:
            raise InputError(f"support is a pair (low, high) with low < high; got {support!r}.")
        self.support = (low, high)
        self.mean = mean
        self.stddev = stddev
        self.seed = seed
        if mean is None:
            mean = (low + high) / 2 if math.isfinite(low) and math.isfinite(high) else 0.0
        self.pseudo_inputs = self.add_weight(
            name="pseudo_inputs",
            shape=(self.num_components, *self.event_shape),
            initializer=keras.initializers.RandomNormal(mean, stddev, seed=seed),
            autocast=False,
        )

    def distribution(self, encode: Encode | None = None) -> tfd.Distribution:
        """The mixture of the pseudo-inputs' posteriors, event shape `[latent_dim]`.

        Args:
            encode: The model's x -> q(z|x), with batch shape `[K]` for K observations.

        Raises:
            InputError: if there is no `encode`, or its distribution has another shape.
        """
        if encode is None:
            raise InputError(
                "A VampPrior is made of posteriors and got no `encode`; call "
                "`prior.distribution(encode)` with the model's encode."
            )
        q_z_given_u = encode(bounded(tf.convert_to_tensor(self.pseudo_inputs), *self.support))
        batch, event = q_z_given_u.batch_shape, q_z_given_u.event_shape
        fits = batch.is_compatible_with([self.num_components])
        if not (fits and event.is_compatible_with([self.latent_dim])):
            raise InputError(
                f"VampPrior expected a posterior with batch shape ({self.num_components},) and "
                f"event shape ({self.latent_dim},), and encode gave {tuple(batch)} and "
                f"{tuple(event)}; give the prior and the posterior the same latent size."
            )
        logits = tf.zeros([self.num_components], q_z_given_u.dtype)
        return tfd.MixtureSameFamily(tfd.Categorical(logits=logits), q_z_given_u)

    def initialize(self, x: Any) -> None:
        """Starts the pseudo-inputs at observations: K different rows of `x`, drawn with `seed`.

        Args:
            x: Array or tensor `[N, *event_shape]`, N at least K, within `support`.

        Raises:
            InputError: if `x` is not so.
        """
        x = np.asarray(x)
        if x.shape[1:] != self.event_shape or len(x) < self.num_components:
            raise InputError(
                f"VampPrior.initialize expected at least {self.num_components} observations of "
                f"shape {self.event_shape}, got an array of shape {x.shape}; give more rows, or "
                "the prior fewer components."
            )
        rows = x[np.random.default_rng(self.seed).permutation(len(x))[: self.num_components]]
        low, high = self.support
        if not (np.isfinite(rows) & (rows >= low) & (rows <= high)).all():
            raise InputError(
                f"VampPrior.initialize expected values in [{low:g}, {high:g}], got some in "
                f"[{rows.min():g}, {rows.max():g}]; scale the data, or give the prior "
                "its `support`."
            )
        self.pseudo_inputs.assign(rows)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "event_shape": self.event_shape,
            "num_components": self.num_components,
            "support": self.support,
            "mean": self.mean,
            "stddev": self.stddev,
            "seed": self.seed,
        }
