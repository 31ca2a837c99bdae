"""The shared checks of every distribution layer."""

from collections.abc import Callable
from typing import Any, NamedTuple

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from tensorflow_probability import distributions as tfd

from tests.harness import check_layer
from vae_tf import layers
from vae_tf.priors import StandardNormal


@keras.saving.register_keras_serializable(package="tests")
def laplace(params: tf.Tensor) -> tfd.Distribution:
    loc, raw = tf.split(params, 2, axis=-1)
    return tfd.Independent(tfd.Laplace(loc, 1e-3 + tf.nn.softplus(tf.minimum(raw, 1e5))), 1)


def reals(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape)


def units(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(0.02, 0.98, size=shape)


def whole(top: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, top + 1, size=shape).astype(float)


def one_hot(batch: int, size: int) -> np.ndarray:
    return np.eye(size)[np.arange(batch) % size]


class Case(NamedTuple):
    make: Callable[[], layers.DistributionLayer]
    x: np.ndarray
    event_shape: tuple[int, ...]
    params_size: int
    reparameterised: bool = False


B, S = 5, (2, 3)
CASES = {
    "IndependentNormal": Case(
        lambda: layers.IndependentNormal(S),
        reals(B, *S),
        S,
        layers.IndependentNormal.params_size(S),
        True,
    ),
    "IndependentNormal scalar": Case(
        layers.IndependentNormal, reals(B), (), layers.IndependentNormal.params_size(), True
    ),
    "IndependentLogistic": Case(
        lambda: layers.IndependentLogistic(S),
        reals(B, *S),
        S,
        layers.IndependentLogistic.params_size(S),
        True,
    ),
    "IndependentBernoulli": Case(
        lambda: layers.IndependentBernoulli(S),
        whole(1, B, *S),
        S,
        layers.IndependentBernoulli.params_size(S),
    ),
    "IndependentPoisson": Case(
        lambda: layers.IndependentPoisson(S),
        whole(9, B, *S),
        S,
        layers.IndependentPoisson.params_size(S),
    ),
    "NegativeBinomial": Case(
        lambda: layers.NegativeBinomial(S),
        whole(9, B, *S),
        S,
        layers.NegativeBinomial.params_size(S),
    ),
    "ContinuousBernoulli": Case(
        lambda: layers.ContinuousBernoulli(S),
        units(B, *S),
        S,
        layers.ContinuousBernoulli.params_size(S),
        True,
    ),
    "HomoscedasticNormal": Case(
        lambda: layers.HomoscedasticNormal(S, scale=0.5),
        reals(B, *S),
        S,
        layers.HomoscedasticNormal.params_size(S),
        True,
    ),
    "HomoscedasticNormal learned": Case(
        lambda: layers.HomoscedasticNormal(S, scale=0.5, learn_scale=True),
        reals(B, *S),
        S,
        layers.HomoscedasticNormal.params_size(S),
        True,
    ),
    "Categorical": Case(
        lambda: layers.Categorical(S, 4),
        whole(3, B, *S),
        S,
        layers.Categorical.params_size(S, 4),
    ),
    "DiscretizedLogistic": Case(
        lambda: layers.DiscretizedLogistic(S),
        whole(255, B, *S) / 255,
        S,
        layers.DiscretizedLogistic.params_size(S),
    ),
    "DiscretizedLogisticMixture": Case(
        lambda: layers.DiscretizedLogisticMixture(2, S, levels=16),
        whole(15, B, *S) / 15,
        S,
        layers.DiscretizedLogisticMixture.params_size(2, S),
    ),
    "MultivariateNormalTriL": Case(
        lambda: layers.MultivariateNormalTriL(4),
        reals(B, 4),
        (4,),
        layers.MultivariateNormalTriL.params_size(4),
        True,
    ),
    "OneHotCategorical": Case(
        lambda: layers.OneHotCategorical(4),
        one_hot(B, 4),
        (4,),
        layers.OneHotCategorical.params_size(4),
    ),
    "CategoricalMixtureOfOneHotCategorical": Case(
        lambda: layers.CategoricalMixtureOfOneHotCategorical(4, 2),
        one_hot(B, 4),
        (4,),
        layers.CategoricalMixtureOfOneHotCategorical.params_size(4, 2),
    ),
    "MixtureSameFamily": Case(
        lambda: layers.MixtureSameFamily(2, layers.MultivariateNormalTriL(2)),
        reals(B, 2),
        (2,),
        layers.MixtureSameFamily.params_size(2, layers.MultivariateNormalTriL.params_size(2)),
    ),
    "MixtureSameFamily of a lambda": Case(
        lambda: layers.MixtureSameFamily(2, layers.DistributionLambda(laplace)),
        reals(B, 2),
        (2,),
        layers.MixtureSameFamily.params_size(2, 4),
    ),
    "MixtureNormal": Case(
        lambda: layers.MixtureNormal(2, S),
        reals(B, *S),
        S,
        layers.MixtureNormal.params_size(2, S),
    ),
    "MixtureLogistic": Case(
        lambda: layers.MixtureLogistic(2, S),
        reals(B, *S),
        S,
        layers.MixtureLogistic.params_size(2, S),
    ),
    "DistributionLambda": Case(
        lambda: layers.DistributionLambda(laplace), reals(B, 2), (2,), 4, True
    ),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def test_every_layer_is_here() -> None:
    others = {"Conditional", "DistributionLayer", "ElementwiseLayer", "VariableLayer"}
    exported = set(layers.__all__) - others
    assert {name.split()[0] for name in CASES} == exported


@each_case
def test_layer(case: Case, tmp_path: Any) -> None:
    check_layer(
        case.make,
        case.x,
        case.event_shape,
        tmp_path,
        params_size=case.params_size,
        reparameterised=case.reparameterised,
    )


# The whole range that the layers promise to bear, its ends and its middle most of all.
EXTREMES = st.sampled_from([0.0, 1e-6, -1e-6, 1.0, -8.0, 17.0, -100.0, 1e4, 1e6, -1e6])
VALUES = st.one_of(EXTREMES, st.floats(-1e6, 1e6, width=32), st.floats(-5, 5, width=32))


@each_case
def test_no_finite_parameters_make_a_nan(case: Case) -> None:
    layer = case.make()
    size = case.params_size
    prior = (
        StandardNormal(case.event_shape[0]).distribution() if len(case.event_shape) == 1 else None
    )
    other = layer.distribution(tf.zeros([size]))

    # Compiled once: most of a thousand small operations are not worth their calls.
    @tf.function(reduce_retracing=True)
    def everything(params: tf.Tensor, x: tf.Tensor, eps: tf.Tensor) -> list[tf.Tensor]:
        results = []
        for kind in ("log_prob", "draw", "point", "kl", "kl_other", "kl_prior"):
            with tf.GradientTape() as tape:
                tape.watch(params)
                distribution = layer.distribution(params)
                if kind == "log_prob":
                    value = distribution.log_prob(x)
                elif kind == "draw":
                    value = layer(params, seed=eps)
                elif kind == "point":
                    value = layer.point_estimate(distribution)
                elif kind == "kl_prior" and prior is None:
                    continue
                else:
                    b = prior if kind == "kl_prior" else other
                    a, b = (b, distribution) if kind == "kl" else (distribution, b)
                    try:
                        value = tfd.kl_divergence(a, b)
                    except NotImplementedError:  # no formula for this pair
                        continue
            results.append(value)
            gradient = tape.gradient(value, params)
            if gradient is not None:
                results.append(gradient)
        return results

    x = tf.constant(case.x, tf.float32)

    @settings(max_examples=15, deadline=None, database=None, derandomize=True)
    @given(hnp.arrays(np.float32, (B, size), elements=VALUES), st.integers(0, 99))
    def check(params: np.ndarray, seed: int) -> None:
        for result in everything(tf.constant(params), x, tf.constant([seed, 0])):
            assert not np.isnan(result).any()

    check()
