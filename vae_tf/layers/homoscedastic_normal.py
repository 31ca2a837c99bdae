"""Independent normals that share one scale: the likelihood behind the L2 loss."""

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import MAX_SCALE, MIN_SCALE, EventShape, bounded, event_size
from vae_tf.layers.elementwise import ElementwiseLayer
from vae_tf.utils.errors import InputError


@keras.saving.register_keras_serializable(package="vae_tf")
class HomoscedasticNormal(ElementwiseLayer):
    """N(μ, σ² I) over events of `event_shape`, with one σ for all elements and all examples.

    The parameters are the means μ. With a fixed σ and n = prod(`event_shape`),

        -log p(x|z) = ||x - μ||² / (2 σ²) + n/2 log(2 π σ²),

    so the L2 reconstruction loss is its special case: minimising -ELBO with weight β on the KL is
    minimising ||x - μ||² + 2 σ² β KL. A loss "sum of squares + λ KL" is therefore β = λ / (2 σ²),
    at σ = 1 β = λ / 2; "mean of squares + λ KL" is β = n λ / (2 σ²). Only β = 1 is a bound on log
    p(x), and σ, not β, is then what balances the two terms: with `learn_scale=True` it is learned
    with the rest (its optimum is the root mean squared error: Rybkin et al. (2021), "Simple and
    effective VAE training with calibrated decoders").

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        scale: float. σ in the units of x; its starting value if it is learned. In [1e-5, 1e5].
            Defaults to 1.
        learn_scale: bool. Whether σ is a weight of the layer (its logarithm is, kept within
            log [1e-5, 1e5]). Defaults to False.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `scale` is not a number in [1e-5, 1e5].
    """

    is_density = True

    def __init__(
        self,
        event_shape: EventShape = (),
        scale: float = 1.0,
        learn_scale: bool = False,
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(event_shape, convert_to_tensor_fn, validate_args, seed, **kwargs)
        try:
            self.scale = float(scale)
        except (TypeError, ValueError):
            self.scale = math.nan
        if not MIN_SCALE <= self.scale <= MAX_SCALE:
            raise InputError(f"scale is a number in [{MIN_SCALE}, {MAX_SCALE}]; got {scale!r}.")
        self.learn_scale = learn_scale
        if learn_scale:
            self.log_scale = self.add_weight(
                name="log_scale",
                shape=(),
                initializer=keras.initializers.Constant(math.log(self.scale)),
                autocast=False,  # half precision has too few digits for a density
            )

    @staticmethod
    def params_size(event_shape: EventShape = ()) -> int:
        """How many parameters an event of this shape takes: a mean per element."""
        return event_size(event_shape)

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        (loc,) = self._planes(params)
        if self.learn_scale:
            log_scale = tf.cast(tf.convert_to_tensor(self.log_scale), params.dtype)
            scale = tf.exp(bounded(log_scale, math.log(MIN_SCALE), math.log(MAX_SCALE)))
        else:
            scale = tf.constant(self.scale, params.dtype)
        return tfd.Normal(loc, scale, validate_args=self.validate_args)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "scale": self.scale, "learn_scale": self.learn_scale}
