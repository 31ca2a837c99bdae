"""A mixture of logistics over the whole event."""

import keras

from vae_tf.layers.independent_logistic import IndependentLogistic
from vae_tf.layers.mixture_of_elementwise import MixtureOfElementwise


@keras.saving.register_keras_serializable(package="vae_tf")
class MixtureLogistic(MixtureOfElementwise):
    """A mixture of `num_components` independent logistics, each over the whole event.

        p(x) = Σ_k softmax(logits)_k Π_i Logistic(x_i; loc_ki, scale_ki)

    The parameters are `[logits, loc and raw_scale of component 1, ...]`, a component's as in
    `IndependentLogistic`. Draws have no reparameterised gradient, and there is no analytic KL.

    Args:
        num_components: int. Number of components.
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: See `DistributionLayer`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`.
    """

    component = IndependentLogistic
