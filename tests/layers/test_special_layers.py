"""What only some layers do: lambdas, the variable, conversions to tensors, errors, .keras files."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tests.harness import assert_same, check_config, normal_params
from tests.layers.test_layers import laplace
from vae_tf import layers
from vae_tf.utils.errors import InputError


@keras.saving.register_keras_serializable(package="tests")
def mean_plus_stddev(distribution: tfd.Distribution) -> tf.Tensor:
    return distribution.mean() + distribution.stddev()


@pytest.mark.parametrize("name", ["mean", "mode", "stddev", "variance"])
def test_conversions_by_name_and_by_method(name: str) -> None:
    params = normal_params(3, 4)
    expected = getattr(layers.IndependentNormal(2).distribution(params), name)()
    for conversion in (name, getattr(tfd.Distribution, name)):
        layer = layers.IndependentNormal(2, conversion)
        assert layer.get_config()["convert_to_tensor_fn"] == name
        np.testing.assert_array_equal(layer(params), expected)


def test_conversion_by_function(tmp_path: Any) -> None:
    params = normal_params(3, 4)
    layer = layers.IndependentNormal(2, convert_to_tensor_fn=mean_plus_stddev)
    distribution = layer.distribution(params)
    assert_same(layer(params), distribution.mean() + distribution.stddev())
    check_config(layer, lambda made: made(params))
    model = keras.Sequential([keras.Input((4,)), layer])
    model.save(tmp_path / "m.keras")
    assert_same(keras.saving.load_model(tmp_path / "m.keras")(params), model(params))


def test_calls_without_a_seed_draw_afresh_and_the_layers_seed_repeats_them() -> None:
    params = normal_params(3, 4)
    layer = layers.IndependentNormal(2)
    assert np.any(layer(params) != layer(params))
    one, two = (layers.IndependentNormal(2, seed=5) for _ in range(2))
    for _ in range(2):
        np.testing.assert_array_equal(one(params), two(params))


def test_layer_trains_inside_a_sequential_model() -> None:
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(3.0, 0.5, (256, 1)).astype("f4")
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(2), layers.IndependentNormal(1)]
    )
    model.compile(keras.optimizers.Adam(0.1), "mse")
    history = model.fit(np.ones_like(x), x, epochs=6, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2


def test_lambda_declares_or_learns_its_event_shape() -> None:
    layer = layers.DistributionLambda(laplace)
    assert layer.params_size is None
    assert layers.DistributionLambda.params_size is None
    assert layer.event_shape is None
    layer.distribution(normal_params(3, 6))
    assert layer.event_shape == (3,)
    assert layers.DistributionLambda(laplace, event_shape=3).event_shape == (3,)
    with pytest.raises(InputError, match=r"declared with event shape \(2,\).* \(3,\)"):
        layers.DistributionLambda(laplace, event_shape=2).distribution(normal_params(3, 6))
    with pytest.raises(InputError, match=r"must return a tfd\.Distribution"):
        layers.DistributionLambda(lambda t: t).distribution(normal_params(3, 6))
    with pytest.raises(InputError, match="make_distribution_fn is a function"):
        layers.DistributionLambda(3)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:.*includes a `lambda`")
def test_lambda_expression_is_loaded_only_where_code_is_trusted(tmp_path: Any) -> None:
    layer = layers.DistributionLambda(
        # The code is saved without its module's names.
        lambda t: __import__("tensorflow_probability").distributions.MultivariateNormalDiag(t)
    )
    params, path = normal_params(3, 2), tmp_path / "m.keras"
    inputs = keras.Input((2,))
    model = keras.Model(inputs, layer(inputs, seed=1))
    model.save(path)
    with pytest.raises((TypeError, ValueError), match=r"deserialization of a Python lambda"):
        keras.saving.load_model(path)
    assert_same(keras.saving.load_model(path, safe_mode=False)(params), model(params))


def test_variable_layer(tmp_path: Any) -> None:
    layer = layers.VariableLayer([3, 2], "float64", "softplus", "ones", "l2", "non_neg")
    for inputs in (0.0, tf.zeros([7]), np.zeros([2, 2]), None):
        value = layer() if inputs is None else layer(inputs)
        assert (value.shape, value.dtype) == ((3, 2), tf.float64)
        np.testing.assert_allclose(value, np.log1p(np.exp(np.ones((3, 2)))))
    assert len(layer.trainable_weights) == 1
    assert len(layer.losses) == 1
    assert layers.VariableLayer(2, trainable=False).trainable_weights == []
    check_config(layer, lambda made: made(0.0))
    inputs = keras.Input((1,))
    model = keras.Model(inputs, layer(inputs))
    layer.variable.assign(np.arange(6).reshape(3, 2))
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded(np.zeros((5, 1))), model(np.zeros((5, 1))))


def test_variable_layer_makes_an_unconditional_distribution() -> None:
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([layers.VariableLayer(4), layers.IndependentNormal(2, "mean")])
    value = model(tf.zeros([5, 1]))
    assert (value.shape, value.dtype) == ((2,), tf.float32)


@pytest.mark.parametrize("learn_scale", [False, True])
def test_variables_keep_their_digits_inside_a_half_precision_model(learn_scale: bool) -> None:
    """Keras reads variables in half precision inside a layer's call; a density must not."""
    keras.config.set_dtype_policy("mixed_float16")

    class Outer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.HomoscedasticNormal(2, 0.123456, learn_scale)

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return self.inner.distribution(x).stddev()

    np.testing.assert_allclose(Outer()(normal_params(3, 2))[0], [0.123456] * 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.IndependentNormal([2, 0]), "sizes of at least 1"),
        (lambda: layers.IndependentNormal("ab"), "list of ints"),
        (lambda: layers.IndependentNormal(2, "median"), "convert_to_tensor_fn is one of"),
        (lambda: layers.HomoscedasticNormal(2, scale=0.0), "scale is a number in"),
        (lambda: layers.HomoscedasticNormal(2, scale="x"), "scale is a number in"),
        (lambda: layers.Categorical(2, 1), "num_classes is an int of at least 2; got 1"),
        (lambda: layers.DiscretizedLogistic(2, levels=1), "levels is an int of at least 2"),
        (lambda: layers.MixtureNormal(0, 2), "num_components is an int of at least 1; got 0"),
        (lambda: layers.MultivariateNormalTriL(2.5), "event_size is an int of at least 1"),
        (lambda: layers.OneHotCategorical(0), "event_size is an int of at least 1; got 0"),
        (lambda: layers.MixtureSameFamily(2, laplace), "component_layer is a distribution layer"),
        (
            lambda: layers.MixtureSameFamily(2, layers.DistributionLambda(laplace)).distribution(
                tf.zeros([3, 5])
            ),
            r"a multiple of 2\], got \[3, 5\]",
        ),
        (lambda: layers.VariableLayer(-1), "sizes of at least 1"),
    ],
)
def test_errors(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
