"""Schedules of the KL's weight: pure functions of the training step."""

import math
from typing import Any

import keras
import tensorflow as tf

from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError


class Schedule:
    """Base of the schedules: `schedule(step)` is the weight at that training step, a scalar.

    A pure function of the step, so a resumed training goes on where it stopped. `warm_up_steps` is
    the step at which the weight first reaches its final value; a training that ends before it has
    trained another model, which is why `VAE.fit` compares the two.
    """

    warm_up_steps: int = 0

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        """The weight at `step`, float32 scalar."""
        raise NotImplementedError(f"{type(self).__name__} defines no `__call__`")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {key: value for key, value in vars(self).items() if key != "warm_up_steps"}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Schedule":
        """The schedule with these constructor's arguments."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


@keras.saving.register_keras_serializable(package="vae_tf")
class Constant(Schedule):
    """β(t) = value.

    Args:
        value: float. The weight, at least 0. Defaults to 1.
    """

    def __init__(self, value: float = 1.0) -> None:
        self.value = _weight("value", value)

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        """The weight, float32 scalar."""
        return tf.constant(self.value, tf.float32)


@keras.saving.register_keras_serializable(package="vae_tf")
class Linear(Schedule):
    """β(t) = start + (stop - start) · min(t / steps, 1).

    The warm-up of Sønderby et al. (2016), Ladder Variational Autoencoders, section 2.3.

    Args:
        steps: int. Training steps of the ramp.
        start: float. Weight at step 0. Defaults to 0.
        stop: float. Weight from `steps` on. Defaults to 1.
    """

    def __init__(self, steps: int, start: float = 0.0, stop: float = 1.0) -> None:
        self.steps = as_count("steps", steps)
        self.start = _weight("start", start)
        self.stop = _weight("stop", stop)
        self.warm_up_steps = self.steps

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        """The weight at `step`, float32 scalar."""
        done = tf.minimum(tf.cast(step, tf.float32) / self.steps, 1.0)
        return self.start + (self.stop - self.start) * done


@keras.saving.register_keras_serializable(package="vae_tf")
class Cyclical(Schedule):
    """Linear ramps that start again: within a cycle β rises over `ramp` of it, then stays.

    β(t) = start + (stop - start) · min(τ / ramp, 1), τ = (t mod steps) / steps for the first `cycles`
    cycles, and `stop` ever after. Fu et al. (2019), Cyclical Annealing Schedule, equation 6.

    Args:
        steps: int. Training steps of a cycle.
        cycles: int. Number of cycles. Defaults to 4.
        ramp: float in (0, 1]. The part of a cycle in which the weight rises. Defaults to 0.5.
        start: float. Weight at the beginning of a cycle. Defaults to 0.
        stop: float. Weight at the end of a cycle. Defaults to 1.
    """

    def __init__(
        self, steps: int, cycles: int = 4, ramp: float = 0.5, start: float = 0.0, stop: float = 1.0
    ) -> None:
        self.steps = as_count("steps", steps)
        self.cycles = as_count("cycles", cycles)
        if not 0 < ramp <= 1:
            raise InputError(f"ramp is a part of a cycle, in (0, 1]; got {ramp!r}.")
        self.ramp = float(ramp)
        self.start = _weight("start", start)
        self.stop = _weight("stop", stop)
        self.warm_up_steps = math.ceil((self.cycles - 1 + self.ramp) * self.steps)

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        """The weight at `step`, float32 scalar."""
        step = tf.cast(step, tf.int64)
        part = tf.cast(step % self.steps, tf.float32) / self.steps
        weight = self.start + (self.stop - self.start) * tf.minimum(part / self.ramp, 1.0)
        return tf.where(step < self.cycles * self.steps, weight, self.stop)


@keras.saving.register_keras_serializable(package="vae_tf")
class Sigmoid(Schedule):
    """β(t) = start + (stop - start) · s(t), s a logistic curve from 0 at step 0 to 1 at `steps`.

    s(t) = [σ(k (t/steps - ½)) - σ(-k/2)] / [σ(k/2) - σ(-k/2)], after Bowman et al. (2016), Generating
    Sentences from a Continuous Space, figure 2, stretched so that both ends are exact.

    Args:
        steps: int. Training steps until the weight is `stop`.
        steepness: float. k. Defaults to 12.
        start: float. Weight at step 0. Defaults to 0.
        stop: float. Weight from `steps` on. Defaults to 1.
    """

    def __init__(
        self, steps: int, steepness: float = 12.0, start: float = 0.0, stop: float = 1.0
    ) -> None:
        self.steps = as_count("steps", steps)
        if not 0 < steepness < math.inf:
            raise InputError(f"steepness is above 0; got {steepness!r}.")
        self.steepness = float(steepness)
        self.start = _weight("start", start)
        self.stop = _weight("stop", stop)
        self.warm_up_steps = self.steps

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        """The weight at `step`, float32 scalar."""
        done = tf.minimum(tf.cast(step, tf.float32) / self.steps, 1.0)
        low, high = tf.sigmoid(-self.steepness / 2), tf.sigmoid(self.steepness / 2)
        curve = (tf.sigmoid(self.steepness * (done - 0.5)) - low) / (high - low)
        return self.start + (self.stop - self.start) * curve


def as_schedule(weight: float | Schedule) -> Schedule:
    """`weight` as a schedule: a number is a constant one.

    Raises:
        InputError: if it is neither a number of at least 0 nor a schedule.
    """
    if isinstance(weight, Schedule):
        return weight
    if isinstance(weight, dict):
        return keras.saving.deserialize_keras_object(weight)
    return Constant(_weight("beta", weight))


def _weight(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InputError(f"{name} is a number of at least 0, or a schedule; got {value!r}.")
    return float(value)
