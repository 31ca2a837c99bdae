"""A layer whose output is a variable, for parameters that depend on no input."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from vae_tf.layers.base import EventShape, as_shape


@keras.saving.register_keras_serializable(package="vae_tf")
class VariableLayer(keras.layers.Layer):
    """Returns one trainable variable of shape `shape`, whatever it is called with.

    Before a distribution layer it makes an unconditional distribution with learned parameters. The
    result has no batch axis. It is in the dtype of the variable, float32 under a mixed precision
    policy: parameters of distributions are not for half precision.

    Args:
        shape: int or sequence of ints. Shape of the variable.
        dtype: str or dtype. Dtype of the variable. Defaults to `keras.config.floatx()`.
        activation: str or function. Applied to the variable. Defaults to None.
        initializer: str or `keras.initializers.Initializer`. Defaults to `"zeros"`.
        regularizer: str or `keras.regularizers.Regularizer`. Defaults to None.
        constraint: str or `keras.constraints.Constraint`. Defaults to None.
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `shape` is not made of positive ints.
    """

    def __init__(
        self,
        shape: EventShape,
        dtype: Any = None,
        activation: str | Callable | None = None,
        initializer: Any = "zeros",
        regularizer: Any = None,
        constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(dtype, tf.DType):
            dtype = dtype.name
        super().__init__(dtype=dtype, autocast=False, **kwargs)
        self.shape = as_shape(shape)
        self.activation = keras.activations.get(activation) if activation is not None else None
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.constraint = keras.constraints.get(constraint)
        self.variable = self.add_weight(
            name="constant",
            shape=self.shape,
            initializer=self.initializer,
            regularizer=self.regularizer,
            constraint=self.constraint,
            autocast=False,
        )
        self.built = True

    def __call__(self, inputs: Any = 0.0, **kwargs: Any) -> tf.Tensor:
        """The variable; `inputs` may be a tensor, a number or nothing."""
        if not isinstance(inputs, keras.KerasTensor):  # Keras refuses plain numbers
            inputs = tf.convert_to_tensor(inputs)
        return super().__call__(inputs, **kwargs)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The variable, `shape`."""
        value = tf.convert_to_tensor(self.variable)
        return value if self.activation is None else self.activation(value)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        config.pop("autocast", None)
        activation = self.activation
        return {
            **config,
            "shape": self.shape,
            "activation": None if activation is None else keras.activations.serialize(activation),
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "constraint": keras.constraints.serialize(self.constraint),
        }
