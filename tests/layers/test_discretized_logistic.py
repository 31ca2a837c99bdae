"""The discretised logistic is a probability mass function on its grid."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tests.harness import normal_params
from vae_tf import layers
from vae_tf.distributions import QuantizedLogistic


def cases(dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    """Locations in and far outside [-1, 1], at scales from an eighth of a bin to ten ranges."""
    locs = [-1e6, -30, -1.2, -1, -0.999, -0.5, 1 / 255, 0.0, 0.3217, 0.77, 1, 1.1, 30, 1e6]
    loc, log_scale = np.meshgrid(locs, [-7, -6, -5.5, -5, -4.5, -4, -3, -2, -1, 0, 1, 2, 3])
    return loc.ravel().astype(dtype), log_scale.ravel().astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("levels", [2, 3, 16, 256])
def test_masses_sum_to_one(levels: int, dtype: str) -> None:
    grid = (np.arange(levels) / (levels - 1)).astype(dtype)
    distribution = QuantizedLogistic(*cases(dtype), levels)
    masses = np.exp(distribution.log_prob(grid[:, np.newaxis]))
    assert masses.shape == (levels, len(cases()[0]))
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    if dtype == "float32":  # e^-x at x = 1e9 is right, but loc + 1e-3 is lost beside loc = 30
        keep = np.abs(cases()[0]) < 2
        masses = masses[:, keep]
    np.testing.assert_allclose(masses.sum(axis=0), 1, atol=tolerance)


def test_masses_are_those_of_the_logistic() -> None:
    loc, log_scale = normal_params(50, dtype="float64"), normal_params(50, dtype="float64") - 2
    logistic = stats.logistic(loc, np.exp(log_scale))
    grid = np.linspace(0, 1, 256)[:, np.newaxis]
    y = 2 * grid - 1
    expected = logistic.cdf(y + 1 / 255) - logistic.cdf(y - 1 / 255)
    expected[0], expected[-1] = logistic.cdf(-1 + 1 / 255), logistic.sf(1 - 1 / 255)
    actual = QuantizedLogistic(loc, log_scale).prob(grid)
    np.testing.assert_allclose(actual, expected, rtol=1e-7, atol=1e-13)


def test_float32_is_float64() -> None:
    loc, log_scale = cases("float32")
    grid = np.linspace(0, 1, 256).astype("f4")[:, np.newaxis]
    single = QuantizedLogistic(loc, log_scale).log_prob(grid)
    double = QuantizedLogistic(loc.astype("f8"), log_scale.astype("f8")).log_prob(grid.astype("f8"))
    assert np.isfinite(single).all()
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("levels", [2, 3, 16, 256, 65536])
def test_mean_is_the_sum_over_levels(levels: int) -> None:
    loc, log_scale = (p[:, np.newaxis] for p in cases())
    edges = (2 * np.arange(1, levels) - 1) / (levels - 1) - 1
    expected = stats.logistic.sf((edges - loc) / np.exp(log_scale)).mean(axis=-1)
    bin_width = 1 / (levels - 1)
    for dtype, tolerance in (
        ("float64", 1.5e-3 * bin_width),
        ("float32", 1.5e-3 * bin_width + 1e-6),
    ):
        mean = QuantizedLogistic(*cases(dtype), levels).mean()
        assert mean.dtype == dtype
        np.testing.assert_allclose(mean, expected, rtol=0, atol=tolerance)


def test_mean_has_the_gradient_of_the_sum() -> None:
    loc, log_scale = (tf.constant(p) for p in normal_params(2, 200, dtype="float64").numpy())
    log_scale = log_scale - 4
    edges = tf.constant((2 * np.arange(1, 256) - 1) / 255 - 1)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([loc, log_scale])
        mean = QuantizedLogistic(loc, log_scale).mean()
        exact = tf.reduce_mean(
            tf.sigmoid((loc[:, None] - edges) / tf.exp(log_scale)[:, None]), axis=-1
        )
    for wrt in (loc, log_scale):
        np.testing.assert_allclose(
            tape.gradient(mean, wrt), tape.gradient(exact, wrt), atol=0.01, rtol=0.01
        )


def test_draws_lie_on_the_grid_with_their_masses() -> None:
    levels = 16
    distribution = QuantizedLogistic(tf.constant([-1.1, 0.2]), tf.constant([-2.0, -1.5]), levels)
    draws = distribution.sample(50000, seed=(1, 2)).numpy()
    index = draws * (levels - 1)
    np.testing.assert_allclose(index, index.round(), atol=1e-5)
    grid = np.arange(levels)[:, np.newaxis] / (levels - 1)
    expected = np.exp(distribution.log_prob(grid.astype("f4")))
    for i in range(2):
        counts = np.bincount(index[:, i].round().astype(int), minlength=levels) / len(draws)
        np.testing.assert_allclose(counts, expected[:, i], atol=5 * 0.5 / np.sqrt(len(draws)))
    np.testing.assert_allclose(draws.mean(0), distribution.mean(), atol=0.01)


def test_mode_is_the_heaviest_level() -> None:
    distribution = QuantizedLogistic(*cases("float64"))
    masses = distribution.log_prob(np.linspace(0, 1, 256)[:, np.newaxis]).numpy()
    index = np.round(distribution.mode().numpy() * 255).astype(int)
    np.testing.assert_allclose(masses[index, np.arange(len(index))], masses.max(axis=0), atol=1e-9)


def test_observations_are_read_at_their_nearest_level() -> None:
    layer = layers.DiscretizedLogistic(levels=16)
    distribution = layer.distribution(tf.constant([0.1, -1.0]))
    assert distribution.log_prob(0.4) == distribution.log_prob(0.4 + 0.01)
    assert distribution.log_prob(1.1) == distribution.log_prob(-0.1) == -np.inf


def test_mixture_is_per_element() -> None:
    layer = layers.DiscretizedLogisticMixture(3, [2, 2], levels=16)
    assert layer.params_per_element == 9
    params = normal_params(5, 3, 3, 4, dtype="float64")  # [B, kind, component, element]
    x = np.random.default_rng(0).integers(0, 16, (5, 4)) / 15
    logits, loc, log_scale = (params[:, i] for i in range(3))
    log_prob = QuantizedLogistic(loc, log_scale, 16).log_prob(x[:, np.newaxis])
    expected = tf.reduce_logsumexp(tf.nn.log_softmax(logits, axis=1) + log_prob, axis=1)
    actual = layer.distribution(tf.reshape(params, [5, -1])).log_prob(x.reshape(5, 2, 2))
    np.testing.assert_allclose(actual, tf.reduce_sum(expected, axis=-1))


def test_a_bell_out_of_bounds_is_led_back() -> None:
    """The gradient passes the bounds of log_scale, so that no parameter is stuck outside."""
    params = tf.constant([0.0, -50.0])
    with tf.GradientTape() as tape:
        tape.watch(params)
        log_prob = layers.DiscretizedLogistic().distribution(params).log_prob(0.9)
    assert tape.gradient(log_prob, params)[1] > 0
