"""Independent normals, each with its own mean and scale."""

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.distributions import PortableNormal
from vae_tf.layers.base import EventShape, event_size, positive_scale
from vae_tf.layers.elementwise import ElementwiseLayer


@keras.saving.register_keras_serializable(package="vae_tf")
class IndependentNormal(ElementwiseLayer):
    """N(loc, diag(scale²)) over events of `event_shape`.

    The parameters are `[loc, raw_scale]`, each flattened to prod(`event_shape`), and scale =
    softplus(raw_scale) within [1e-5, 1e5]. As the posterior of a VAE it is Kingma and Welling
    (2014), equation 9. Draws are reparameterised.

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    params_per_element = 2

    @staticmethod
    def params_size(event_shape: EventShape = ()) -> int:
        """How many parameters an event of this shape takes: a mean and a scale per element."""
        return 2 * event_size(event_shape)

    def _elements(self, params: tf.Tensor) -> tfd.Distribution:
        loc, raw_scale = self._planes(params)
        return PortableNormal(loc, positive_scale(raw_scale), validate_args=self.validate_args)
