"""The checks that every layer, prior, network and model goes through, each a line in a test.

    check_layer(lambda: IndependentNormal([2]), event_shape=(2,), x=x, tmp_path=tmp_path)

Each check stands alone too: `check_config`, `check_saving`, `check_determinism`, `check_precision`,
`check_gradients`, `check_shapes`, `check_wrong_params`, `check_compiled`.
"""

import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow_probability import distributions as tfd

from vae_tf.layers import DistributionLayer
from vae_tf.utils.errors import InputError

MakeLayer = Callable[[], DistributionLayer]


def check_layer(
    make_layer: MakeLayer,
    x: Any,
    event_shape: tuple[int, ...],
    tmp_path: Path,
    params_size: int | None = None,
    reparameterised: bool = True,
    xla: bool = True,
) -> None:
    """Puts a distribution layer through everything that holds for all of them.

    Args:
        make_layer: Makes the layer, the same at each call.
        x: `[B, *event_shape]`. Observations within its support.
        event_shape: Shape of one event.
        tmp_path: pytest's.
        params_size: What the class's `params_size` says for these sizes; for a layer that takes any
            number of parameters, one that it can use.
        reparameterised: Whether draws have gradients.
        xla: Whether TFP's draws compile with XLA.
    """
    layer = make_layer()
    size = params_size if params_size is not None else layer.params_size
    if layer.params_size is not None:
        assert layer.params_size == size
        assert isinstance(layer.params_size, int)
    if layer.params_per_element is not None:
        assert layer.params_per_element * np.prod(event_shape, dtype=int) == size
    x = np.asarray(x)
    params = normal_params(len(x), size)

    check_shapes(make_layer(), params, event_shape)
    assert tuple(make_layer().support) == tuple(layer.support)
    check_config(layer, lambda made: made.distribution(params).log_prob(x))
    check_saving(layer, params, tmp_path / "layer.keras", seed=3)
    check_determinism(lambda seed: layer(params, seed=seed))
    check_precision(make_layer, params, x)
    check_gradients(lambda p: layer.distribution(p).log_prob(tf.cast(x, p.dtype)), params)
    if reparameterised:
        check_gradients(lambda p: layer(p, seed=3), params)
    distribution = layer.distribution(params)
    expected = tfd.FULLY_REPARAMETERIZED if reparameterised else tfd.NOT_REPARAMETERIZED
    assert distribution.reparameterization_type == expected
    check_wrong_params(layer, size)

    def outputs(p: tf.Tensor) -> list[tf.Tensor]:
        made = layer.distribution(p)
        return [made.log_prob(tf.cast(x, p.dtype)), layer.point_estimate(made)]

    # XLA draws other numbers for the same seed, so of draws only their determinism can be asked.
    check_compiled(outputs, params, draw=lambda p: layer(p, seed=3), xla=xla)


def normal_params(*shape: int, seed: int = 0, dtype: str = "float32") -> tf.Tensor:
    """Parameters as a network gives them: N(0, 1)."""
    return tf.constant(np.random.default_rng(seed).normal(size=shape), dtype)


def check_config(made: Any, output: Callable[[Any], Any]) -> None:
    """`from_config(get_config())` has the same config and, for the same input, the same output.

    Args:
        made: Anything with `get_config`. Its weights are copied to the copy, if it has any.
        output: Function of it, e.g. its log density at some point.
    """
    copy = type(made).from_config(made.get_config())
    assert copy.get_config() == made.get_config()
    config = keras.saving.serialize_keras_object(made)
    again = keras.saving.deserialize_keras_object(config, safe_mode=False)
    assert type(again) is type(made)
    for other in (copy, again):
        if getattr(made, "weights", None):
            other.set_weights(made.get_weights())
        assert_same(output(other), output(made))


def check_saving(layer: Any, inputs: tf.Tensor, path: Path, **call: Any) -> keras.Model:
    """A functional model around `layer` gives the same after a `.keras` round trip.

    Args:
        layer: Keras layer.
        inputs: `[B, ...]`.
        path: Where to save, ending in `.keras`.
        **call: More arguments of the layer's call, e.g. a seed.

    Returns:
        The loaded model.
    """
    entry = keras.Input(inputs.shape[1:], dtype=inputs.dtype.name)
    model = keras.Model(entry, layer(entry, **call))
    expected = model(inputs)
    model.save(path)
    loaded = keras.saving.load_model(path, safe_mode=True)
    assert_same(loaded(inputs), expected)
    assert loaded.get_config() == model.get_config()
    for mine, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    return loaded


def check_determinism(draw: Callable[[Any], tf.Tensor]) -> None:
    """Equal seeds give equal draws, different seeds different ones, and no global state moves.

    Args:
        draw: Function of a seed (an int or an int tensor of shape [2]) that gives a tensor.
    """
    before = _global_states()
    first = draw(1)
    np.testing.assert_array_equal(draw(1), first)
    assert np.any(draw(2) != first)
    np.testing.assert_array_equal(draw(tf.constant([5, 7])), draw(tf.constant([5, 7])))
    assert _global_states() == before, "a draw with a seed moved a global random state"


def _global_states() -> tuple[bytes, ...]:
    states = (random.getstate(), np.random.get_state(), tf.random.get_global_generator().state)
    rng = getattr(context.context(), "_rng", None)  # gives unseeded operations their seeds
    python, numpy, tensorflow = states
    return (
        pickle.dumps(python),
        pickle.dumps(numpy),
        tensorflow.numpy().tobytes(),
        pickle.dumps(rng and rng.getstate()),
    )


def check_precision(make_layer: MakeLayer, params: tf.Tensor, x: np.ndarray) -> None:
    """Half precision is raised to float32 and float64 stays, in value and under every policy."""
    for dtype in ("float16", "bfloat16", "float64"):
        expected = "float64" if dtype == "float64" else "float32"
        given = tf.cast(params, dtype)
        distribution = make_layer().distribution(given)
        log_prob = distribution.log_prob(x.astype(expected))
        assert distribution.dtype == log_prob.dtype == expected
        assert distribution.sample(seed=(1, 2)).dtype == expected
        raised = make_layer().distribution(tf.cast(given, expected)).log_prob(x.astype(expected))
        np.testing.assert_array_equal(log_prob, raised)
    # The two differ by rounding alone. (A float32 constant inside the float64 density would show in
    # the finite differences of `check_gradients`.)
    single = make_layer().distribution(params).log_prob(x.astype("float32"))
    double = make_layer().distribution(tf.cast(params, "float64")).log_prob(x.astype("float64"))
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-4)
    for policy in ("mixed_float16", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        try:
            layer = make_layer()
            assert all(weight.dtype == "float32" for weight in layer.trainable_weights)
            half = tf.cast(params, layer.compute_dtype)
            assert layer(half, seed=1).dtype == "float32"
            entry = keras.Input(params.shape[1:])
            model = keras.Model(entry, layer(keras.layers.Identity()(entry), seed=1))
            assert model(params).dtype == "float32"
        finally:
            keras.config.set_dtype_policy("float32")


def check_gradients(
    function: Callable[[tf.Tensor], tf.Tensor],
    params: tf.Tensor,
    tolerance: float = 1e-5,
) -> None:
    """Gradients are finite, none is zero for all examples, and finite differences agree.

    Args:
        function: Of parameters `[B, P]` in float64, acting on each row alone.
        params: `[B, P]`.
        tolerance: Relative to the largest gradient.
    """
    params = tf.cast(params, tf.float64)
    weights = tf.cast(normal_params(*function(params).shape, seed=9), tf.float64)

    def total(p: tf.Tensor) -> tf.Tensor:  # one number a row
        return tf.reduce_sum(tf.reshape(function(p) * weights, [len(p), -1]), axis=-1)

    with tf.GradientTape() as tape:
        tape.watch(params)
        value = total(params)
    gradient = tape.gradient(value, params)
    assert gradient is not None, "no gradient"
    gradient = gradient.numpy()
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient).max(axis=0) > 0).all(), "a parameter has no gradient"
    step = 1e-5
    for seed in range(3):
        direction = tf.cast(normal_params(*params.shape, seed=seed), tf.float64)
        numeric = (total(params + step * direction) - total(params - step * direction)) / (2 * step)
        exact = (gradient * direction.numpy()).sum(axis=-1)
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(exact, numeric, rtol=tolerance, atol=tolerance * scale)


def check_shapes(layer: DistributionLayer, params: tf.Tensor, event_shape: tuple[int, ...]) -> None:
    """Batch shapes `[]`, `[B]` and `[K, B]` of parameters come out as the distribution's."""
    stacked = tf.stack([params, 2 * params, 0 * params])
    for given in (params[0], params, stacked):
        batch = tuple(given.shape[:-1])
        distribution = layer.distribution(given)
        assert (distribution.batch_shape, distribution.event_shape) == (batch, event_shape)
        drawn = layer(given, seed=1)
        assert drawn.shape == (*batch, *event_shape)
        assert distribution.log_prob(drawn).shape == batch
        assert layer.point_estimate(distribution).shape == (*batch, *event_shape)
    drawn = layer.distribution(params).sample(4, seed=(0, 1))
    assert drawn.shape == (4, len(params), *event_shape)
    assert layer.distribution(params).log_prob(drawn).shape == (4, len(params))
    assert layer.event_shape == event_shape
    # An unknown batch size, as in `fit`.
    signature = tf.TensorSpec([None, params.shape[-1]], params.dtype)
    unknown = tf.function(lambda p: layer(p, seed=1), input_signature=[signature])
    assert tuple(unknown.get_concrete_function().output_shapes) == (None, *event_shape)
    entry = keras.Input(params.shape[1:])
    assert layer(entry).shape == (None, *event_shape)


def check_wrong_params(layer: DistributionLayer, size: int) -> None:
    """Another last axis is refused, in a sentence that names both sizes."""
    if layer.params_size is None:
        return
    for wrong in (size + 1, max(size - 1, 0)):
        with pytest.raises(InputError, match=rf"expected .*\b{size}\b.* got .*\b{wrong}\b"):
            layer.distribution(tf.zeros([2, wrong]))
    with pytest.raises(InputError):
        layer.distribution(tf.constant(1.0))


def check_compiled(
    function: Callable[..., list[tf.Tensor]],
    *inputs: tf.Tensor,
    draw: Callable[..., tf.Tensor] | None = None,
    xla: bool = True,
) -> None:
    """Eager, `tf.function` and (unless `xla=False`) `jit_compile=True` give the same.

    Args:
        function: Gives a list of tensors that depend on the inputs alone.
        *inputs: Its arguments.
        draw: Gives a draw with a fixed seed: the same eagerly and in `tf.function`, and the same at
            each call of the compiled function, though XLA's generator draws other numbers.
        xla: Whether it compiles.
    """

    def everything(*inputs: tf.Tensor) -> list[tf.Tensor]:
        return [*function(*inputs), *([draw(*inputs)] if draw else [])]

    eager = everything(*inputs)
    for mine, theirs in zip(tf.function(everything)(*inputs), eager, strict=True):
        assert_same(mine, theirs)
    if not xla:
        return
    compiled = tf.function(everything, jit_compile=True)
    first, second = compiled(*inputs), compiled(*inputs)
    for i, (mine, again, theirs) in enumerate(zip(first, second, eager, strict=True)):
        np.testing.assert_array_equal(mine, again)
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
        if not (draw and i == len(eager) - 1):
            assert_same(mine, theirs)


def assert_same(actual: Any, expected: Any) -> None:
    """Equal within the rounding of float32, and finite."""
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(actual, expected, rtol=2e-5, atol=2e-5)
