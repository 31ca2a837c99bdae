"""Independent normals, each with its own mean and scale."""

import keras

from vae_tf.distributions import PortableNormal
from vae_tf.layers.location_scale import LocationScaleLayer


@keras.saving.register_keras_serializable(package="vae_tf")
class IndependentNormal(LocationScaleLayer):
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

    family = PortableNormal
