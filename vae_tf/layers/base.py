"""The base of the distribution layers: the last axis of a tensor holds the parameters."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import as_seed

MIN_SCALE = 1e-5  # as the diagonal shift of tfp.layers.MultivariateNormalTriL
MAX_SCALE = 1e5
MAX_LOG_RATE = 16.0  # e^16 = 8.9e6: counts above 2^24 are no longer whole numbers in float32
_CONVERSIONS = ("sample", "mean", "mode", "stddev", "variance")

EventShape = int | Sequence[int]


class DistributionLayer(keras.layers.Layer):
    """Base of the layers that turn parameters into a `tfd.Distribution`.

    Three ways to use one:

    - `layer.params_size`: how many parameters it needs on the last axis (an int). On the class, a
      function of the constructor's sizes, as in `tfp.layers`:
      `IndependentNormal.params_size([28, 28])`.
    - `layer.distribution(params)`: the distribution. Pure: equal parameters, equal distribution.
    - `layer(params, seed=None)`: a tensor, by default a draw (reparameterised where the
      distribution can be), so that the layer also stands in a functional or sequential Keras 3
      model (whose operations return tensors only).

    A subclass defines the staticmethod `params_size` and `_distribution`, and its constructor ends
    with `_set_params_size`.

    Args:
        event_shape: int or sequence of ints. Shape of one event. Defaults to `()`.
        convert_to_tensor_fn: How a call turns the distribution into a tensor: `"sample"`, `"mean"`,
            `"mode"`, `"stddev"`, `"variance"`, the `tfd.Distribution` method of that name, or a
            function of the distribution (registered with `keras.saving`, if the layer is to be
            saved). Defaults to `tfd.Distribution.sample`.
        validate_args: bool. Whether TFP checks the parameters at run time. Defaults to False.
        seed: int. Seed of the draws of calls that give none. Defaults to None (fresh).
        **kwargs: For `keras.layers.Layer`: `name`, `dtype`, ...

    Raises:
        InputError: if `event_shape` or `convert_to_tensor_fn` is none of these.
    """

    # On the class a function of sizes, on the instance an int (None: any number of parameters).
    params_size: Any

    # The parameters of one element of the event, where each element has its own: the last axis is
    # then [params_per_element, prod(event_shape)] flattened, so that a convolutional decoder can
    # emit a plane per parameter. None where parameters belong to the event as a whole.
    params_per_element: int | None = None

    # The interval that observations of this distribution must lie in; what lies outside has no
    # density. Where not all of it has one, `_in_support` and `support_text` say what has.
    support: tuple[float, float] = (-math.inf, math.inf)

    # Whether log p(x) is that of a density, whose nats depend on the scale of x, and not that of a
    # probability.
    is_density: bool = False

    # Whether a call has drawn from the layer's own generator, as in a network.
    draws_without_seed: bool = False

    def __init__(
        self,
        event_shape: EventShape = (),
        convert_to_tensor_fn: str | Callable = tfd.Distribution.sample,
        validate_args: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        # Parameters must not be cast to half precision on the way in: `distribution` raises them.
        super().__init__(autocast=False, **kwargs)
        # None only in a `DistributionLambda` that has made no distribution yet.
        self.event_shape: Any = as_shape(event_shape)
        self.convert_to_tensor_fn = _as_conversion(convert_to_tensor_fn)
        self.validate_args = validate_args
        self.seed = seed
        self._seed_generator = keras.random.SeedGenerator(seed)
        # Whatever a layer holds it makes here: nothing depends on the shape of its input.
        self.built = True

    def distribution(self, params: tf.Tensor) -> tfd.Distribution:
        """The distribution with these parameters.

        Args:
            params: `[..., params_size]`. float16 and bfloat16 are raised to float32, float64 stays.

        Returns:
            `tfd.Distribution` with batch shape `[...]` and event shape `event_shape`.

        Raises:
            InputError: if the last axis is not `params_size` long.
        """
        params = full_precision(tf.convert_to_tensor(params))
        if params.shape.rank == 0 or params.shape[-1] != self.params_size:
            raise InputError(
                f"{type(self).__name__} expected parameters of shape [..., {self.params_size}] for "
                f"events of shape {self.event_shape}, got {shown(params.shape)}; give the layer "
                f"before it {self.params_size} outputs (`params_size`)."
            )
        return self._distribution(params)

    def _distribution(self, params: tf.Tensor) -> tfd.Distribution:
        """The distribution of parameters already checked and in float32 or float64."""
        raise NotImplementedError(f"{type(self).__name__} defines no `_distribution`")

    def _set_params_size(self, params_size: int | None) -> None:
        # The instance's int hides the class's function of the same name, as the contract wants.
        self.params_size = params_size

    def point_estimate(self, distribution: tfd.Distribution) -> tf.Tensor:
        """The one value that stands for `distribution`: its mean, `[..., *event_shape]`."""
        return distribution.mean()

    def in_support(self, x: Any) -> tf.Tensor:
        """Whether observations have a density or a probability.

        Args:
            x: `[..., *event_shape]`.

        Returns:
            bool, in the shape of x, or with 1 for an axis that is judged as a whole.
        """
        x = tf.convert_to_tensor(x)
        return self._in_support(x if x.dtype.is_floating else tf.cast(x, tf.float64))

    def _in_support(self, x: tf.Tensor) -> tf.Tensor:
        """`in_support` of floats; the interval `support`, unless a subclass knows better."""
        return in_interval(x, self.support)

    @property
    def supports_interval(self) -> bool:
        """Whether `in_support` is that x lies in the interval `support`."""
        return type(self)._in_support is DistributionLayer._in_support

    @property
    def support_text(self) -> str:
        """What `in_support` asks for, to follow "needs"."""
        return interval_text(self.support)

    def call(self, params: tf.Tensor, seed: Any = None) -> tf.Tensor:
        """A tensor from the distribution, `[..., *event_shape]`; see `convert_to_tensor_fn`."""
        distribution = self.distribution(params)
        conversion = self.convert_to_tensor_fn
        if conversion == "sample":
            if seed is None:
                self.draws_without_seed = True
                # Keras draws its seeds as uint32, TFP takes int32.
                return distribution.sample(seed=tf.cast(self._seed_generator.next(), tf.int32))
            return distribution.sample(seed=as_seed(seed))
        if isinstance(conversion, str):
            return getattr(distribution, conversion)()
        return conversion(distribution)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        conversion = self.convert_to_tensor_fn
        if conversion not in _CONVERSIONS:
            conversion = keras.saving.serialize_keras_object(conversion)
        config = super().get_config()
        config.pop("autocast", None)
        return {
            **config,
            "event_shape": self.event_shape,
            "convert_to_tensor_fn": conversion,
            "validate_args": self.validate_args,
            "seed": self.seed,
        }


def as_shape(event_shape: EventShape) -> tuple[int, ...]:
    """`event_shape` as a tuple of positive ints.

    Raises:
        InputError: if it is anything else.
    """
    try:
        sizes = [event_shape] if isinstance(event_shape, int) else list(event_shape)
        shape = tuple(int(size) for size in sizes)
    except (TypeError, ValueError) as error:
        raise InputError(f"An event shape is a list of ints; got {event_shape!r}.") from error
    if any(size < 1 for size in shape):
        raise InputError(f"An event shape has sizes of at least 1; got {event_shape!r}.")
    return shape


def event_size(event_shape: EventShape) -> int:
    """How many elements an event of this shape has."""
    return math.prod(as_shape(event_shape))


def full_precision(x: tf.Tensor) -> tf.Tensor:
    """`x`, raised to float32 where it is float16 or bfloat16: densities need the digits."""
    return tf.cast(x, tf.float32) if x.dtype in (tf.float16, tf.bfloat16) else x


def in_interval(x: tf.Tensor, interval: tuple[float, float]) -> tf.Tensor:
    """Whether floats lie in a closed interval; NaN lies in none."""
    low, high = interval
    return (x >= tf.constant(low, x.dtype)) & (x <= tf.constant(high, x.dtype))


def interval_text(interval: tuple[float, float]) -> str:
    """What `in_interval` asks for."""
    low, high = interval
    return f"finite values in [{low:g}, {high:g}]"


def is_whole(x: tf.Tensor) -> tf.Tensor:
    """Whether floats are whole numbers."""
    return tf.equal(x, tf.floor(x))


def reshape_event(x: tf.Tensor, event_shape: tuple[int, ...]) -> tf.Tensor:
    """`[..., prod(event_shape)]` -> `[..., *event_shape]`."""
    return tf.reshape(x, tf.concat([tf.shape(x)[:-1], event_shape], axis=0))


def bounded(x: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """`x` clipped to [low, high], with the gradient of the identity.

    The gradient passes outside the bounds too, so that an optimizer that has stepped over one is
    led back; the gradient of plain clipping is zero there.
    """

    # The bounds stay Python floats: as arguments they would become float32 tensors.
    @tf.custom_gradient
    def clip(x: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        return tf.clip_by_value(x, low, high), lambda dy: dy

    return clip(x)


def positive_scale(raw: tf.Tensor) -> tf.Tensor:
    """softplus(raw), kept in [`MIN_SCALE`, `MAX_SCALE`], so that no input makes a NaN."""
    return bounded(tf.nn.softplus(raw) + MIN_SCALE, MIN_SCALE, MAX_SCALE)


def shown(shape: tf.TensorShape) -> str:
    """A shape as messages write it: `[batch, 3]`."""
    return str(list(shape)).replace("None", "batch") if shape.rank is not None else "[...]"


def _as_conversion(conversion: str | Callable | dict) -> str | Callable:
    for name in _CONVERSIONS:
        if conversion == name or conversion is getattr(tfd.Distribution, name):
            return name
    if isinstance(conversion, dict):
        conversion = keras.saving.deserialize_keras_object(conversion)
    if not callable(conversion):
        raise InputError(
            f"convert_to_tensor_fn is one of {', '.join(_CONVERSIONS)} or a function of the "
            f"distribution; got {conversion!r}."
        )
    return conversion
