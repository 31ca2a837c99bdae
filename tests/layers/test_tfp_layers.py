"""A user of `tfp.layers` changes one import: same names, arguments, parameters and densities."""

import inspect

import numpy as np
import pytest
import tensorflow_probability as tfp

from tests.harness import normal_params
from tests.layers.test_layers import one_hot, reals, whole
from vae_tf import layers

# Name, constructor's arguments, observations of 7 examples.
SHARED = [
    ("IndependentNormal", ((2, 3),), reals(7, 2, 3)),
    ("IndependentNormal", ((),), reals(7)),
    ("IndependentLogistic", ((2, 3),), reals(7, 2, 3)),
    ("IndependentBernoulli", ((2, 3),), whole(1, 7, 2, 3)),
    ("IndependentPoisson", ((2, 3),), whole(9, 7, 2, 3)),
    ("MultivariateNormalTriL", (4,), reals(7, 4)),
    ("OneHotCategorical", (4,), one_hot(7, 4)),
    ("CategoricalMixtureOfOneHotCategorical", (4, 3), one_hot(7, 4)),
    ("MixtureNormal", (3, (2, 3)), reals(7, 2, 3)),
    ("MixtureLogistic", (3, (2, 3)), reals(7, 2, 3)),
]


@pytest.mark.parametrize(("name", "sizes", "x"), SHARED)
def test_density_is_that_of_tfp(name: str, sizes: tuple, x: np.ndarray) -> None:
    ours, theirs = getattr(layers, name), getattr(tfp.layers, name)
    layer = ours(*sizes)
    assert layer.params_size == ours.params_size(*sizes) == theirs.params_size(*sizes)
    params = normal_params(7, layer.params_size, dtype="float64")
    mine, reference = layer.distribution(params), theirs.new(params, *sizes)
    # The scales of tfp.layers have no floor of 1e-5.
    np.testing.assert_allclose(mine.log_prob(x), reference.log_prob(x), rtol=5e-4, atol=1e-4)
    np.testing.assert_allclose(mine.mean(), reference.mean(), rtol=1e-6)


def test_mixture_same_family_is_that_of_tfp() -> None:
    size = layers.MixtureSameFamily.params_size(3, layers.MultivariateNormalTriL.params_size(2))
    params, x = normal_params(7, size, dtype="float64"), reals(7, 2)
    mine = layers.MixtureSameFamily(3, layers.MultivariateNormalTriL(2)).distribution(params)
    theirs = tfp.layers.MixtureSameFamily.new(
        params, 3, lambda p: tfp.layers.MultivariateNormalTriL.new(p, 2)
    )
    assert size == tfp.layers.MixtureSameFamily.params_size(3, 5)
    np.testing.assert_allclose(mine.log_prob(x), theirs.log_prob(x), rtol=1e-6)


@pytest.mark.parametrize(
    "name", [*sorted({name for name, _, _ in SHARED}), "MixtureSameFamily", "VariableLayer"]
)
def test_arguments_are_those_of_tfp(name: str) -> None:
    def arguments(function: object) -> list[str]:
        return [
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.kind != p.VAR_KEYWORD
        ]

    ours, theirs = getattr(layers, name), getattr(tfp.layers, name)
    expected = arguments(theirs.__init__)
    assert arguments(ours.__init__)[: len(expected)] == expected
    if hasattr(theirs, "params_size"):
        expected = [name for name in arguments(theirs.params_size) if name != "name"]
        assert arguments(ours.params_size) == expected


def test_distribution_lambda_arguments_are_those_of_tfp() -> None:
    ours = list(inspect.signature(layers.DistributionLambda).parameters)
    assert ours[:2] == ["make_distribution_fn", "convert_to_tensor_fn"]
