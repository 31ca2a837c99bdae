"""Independent logistics, each with its own location and scale."""

import keras
from tensorflow_probability import distributions as tfd

from vae_tf.layers.location_scale import LocationScaleLayer


@keras.saving.register_keras_serializable(package="vae_tf")
class IndependentLogistic(LocationScaleLayer):
    """Logistic(loc, scale) for each element of an event of `event_shape`.

    The density is sech²((x - loc) / 2 scale) / 4 scale. The parameters are `[loc, raw_scale]`, each
    flattened to prod(`event_shape`), and scale = softplus(raw_scale) within [1e-5, 1e5]. Draws are
    reparameterised. There is no analytic KL to any other distribution.

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    family = tfd.Logistic
