"""Densities and masses against scipy.stats, quadrature and float64."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, stats
from tensorflow_probability import distributions as tfd

from tests.harness import normal_params
from tests.layers.test_layers import reals, units, whole
from vae_tf import layers
from vae_tf.distributions import GammaPoisson
from vae_tf.layers.base import MAX_SCALE, MIN_SCALE, positive_scale


def softplus(raw: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, raw) + MIN_SCALE


def density(layer: layers.DistributionLayer, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    params = normal_params(len(x), layer.params_size, dtype="float64")
    return layer.distribution(params).log_prob(x).numpy(), params.numpy()


def test_normal() -> None:
    x = reals(6, 4)
    actual, p = density(layers.IndependentNormal([4]), x)
    expected = stats.norm(p[:, :4], softplus(p[:, 4:])).logpdf(x).sum(-1)
    np.testing.assert_allclose(actual, expected)


def test_logistic() -> None:
    x = reals(6, 4)
    actual, p = density(layers.IndependentLogistic([4]), x)
    expected = stats.logistic(p[:, :4], softplus(p[:, 4:])).logpdf(x).sum(-1)
    np.testing.assert_allclose(actual, expected)


def test_bernoulli() -> None:
    x = whole(1, 6, 4)
    actual, p = density(layers.IndependentBernoulli([4]), x)
    np.testing.assert_allclose(actual, stats.bernoulli(1 / (1 + np.exp(-p))).logpmf(x).sum(-1))


def test_poisson() -> None:
    x = whole(9, 6, 4)
    actual, p = density(layers.IndependentPoisson([4]), x)
    np.testing.assert_allclose(actual, stats.poisson(np.exp(p)).logpmf(x).sum(-1))


def test_negative_binomial_has_the_mean_and_dispersion_of_scvi_tools() -> None:
    x = whole(30, 6, 4)
    layer = layers.NegativeBinomial([4])
    actual, p = density(layer, x)
    mu, theta = np.exp(p[:, :4]), np.exp(p[:, 4:])
    expected = stats.nbinom(theta, theta / (theta + mu))
    np.testing.assert_allclose(actual, expected.logpmf(x).sum(-1))
    distribution = layer.distribution(p)
    np.testing.assert_allclose(distribution.mean(), mu)
    np.testing.assert_allclose(distribution.variance(), mu + mu**2 / theta)
    draws = distribution.sample(20000, seed=(1, 2)).numpy()
    error = np.sqrt((mu + mu**2 / theta) / 20000)
    assert (np.abs(draws.mean(0) - mu) < 5 * error).all()
    assert (draws == draws.round()).all()
    modes = [[expected.pmf(k)[i, j] for k in range(50)] for i in range(6) for j in range(4)]
    np.testing.assert_array_equal(distribution.mode().numpy().ravel(), np.argmax(modes, axis=-1))


def test_negative_binomial_in_float32_is_that_of_float64() -> None:
    log_mean, log_theta, x = (
        grid.ravel()
        for grid in np.meshgrid([-5, 0, 5, 9.0], [-11, -3, 0, 5, 11.0], [0, 1, 20, 400, 20000.0])
    )
    double = GammaPoisson(log_mean, log_theta).log_prob(x)
    single = GammaPoisson(log_mean.astype("f4"), log_theta.astype("f4")).log_prob(x.astype("f4"))
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=2e-3)
    np.testing.assert_allclose(
        double, stats.nbinom(np.exp(log_theta), 1 / (1 + np.exp(log_mean - log_theta))).logpmf(x),
        rtol=1e-7, atol=1e-7,
    )  # fmt: skip


def test_multivariate_normal() -> None:
    x = reals(6, 4)
    layer = layers.MultivariateNormalTriL(4)
    actual, p = density(layer, x)
    distribution = layer.distribution(p)
    covariance = distribution.covariance().numpy()
    expected = [
        stats.multivariate_normal(*parts).logpdf(row)
        for *parts, row in zip(p[:, :4], covariance, x, strict=True)
    ]
    np.testing.assert_allclose(actual, expected)
    tril = np.linalg.cholesky(covariance)
    np.testing.assert_allclose(distribution.scale_tril, tril, atol=1e-12)


def test_multivariate_normal_log_prob_at_many_draws() -> None:
    distribution = layers.MultivariateNormalTriL(3).distribution(normal_params(2, 5, 9))
    x = distribution.sample([7, 4], seed=(1, 2))
    assert x.shape == (7, 4, 2, 5, 3)
    reference = tfd.MultivariateNormalTriL(distribution.loc, distribution.scale_tril)
    np.testing.assert_allclose(
        distribution.log_prob(x), reference.log_prob(x), rtol=1e-4, atol=1e-4
    )
    _, log_prob = distribution.experimental_sample_and_log_prob(seed=(1, 2))
    np.testing.assert_allclose(
        log_prob, distribution.log_prob(distribution.sample(seed=(1, 2))), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("other", ["independent normal", "tril"])
def test_multivariate_normal_kl(other: str) -> None:
    a = layers.MultivariateNormalTriL(3).distribution(normal_params(2, 9, dtype="float64"))
    if other == "tril":
        b = layers.MultivariateNormalTriL(3).distribution(normal_params(9, seed=5, dtype="float64"))
        plain_b = tfd.MultivariateNormalTriL(b.loc, b.scale_tril)
    else:
        b = layers.IndependentNormal(3).distribution(normal_params(6, seed=5, dtype="float64"))
        plain_b = tfd.MultivariateNormalTriL(b.mean(), tf.linalg.diag(b.stddev()))
    plain_a = tfd.MultivariateNormalTriL(a.loc, a.scale_tril)
    kl = tfd.kl_divergence(a, b)
    assert kl.shape == (2,)
    np.testing.assert_allclose(kl, tfd.kl_divergence(plain_a, plain_b))


def test_continuous_bernoulli_is_a_density() -> None:
    for logit in (-30.0, -1.0, -1e-4, 0.0, 1e-4, 0.3, 5.0):
        distribution = layers.ContinuousBernoulli().distribution(tf.constant([logit], tf.float64))
        mass, _ = integrate.quad(lambda x, d=distribution: float(d.prob(x)), 0, 1)
        mean, _ = integrate.quad(lambda x, d=distribution: x * float(d.prob(x)), 0, 1)
        np.testing.assert_allclose([mass, distribution.mean()], [1, mean], rtol=1e-7)


def test_continuous_bernoulli_in_float32_is_that_of_float64() -> None:
    magnitudes = np.concatenate([np.geomspace(1e-6, 1e6, 200), [0.265, 0.3, 0.325, 0.33, 15.9, 16]])
    logits = np.concatenate([-magnitudes, [0.0], magnitudes])[:, np.newaxis]
    layer = layers.ContinuousBernoulli()
    single = layer.distribution(logits.astype("f4"))
    double = layer.distribution(logits.astype("f4").astype("f8"))
    np.testing.assert_allclose(single.mean(), double.mean(), atol=1e-6)
    assert np.all((single.mean() >= 0) & (single.mean() <= 1))
    for x in (0.0, 0.25, 0.5, 1.0):
        np.testing.assert_allclose(
            single.log_prob(np.float32(x)), double.log_prob(np.float64(x)), rtol=1e-5, atol=1e-5
        )


def test_continuous_bernoulli_draws() -> None:
    logits = np.array([-1e6, -40, -1, -2e-3, -1e-4, 0, 1e-6, 1e-4, 2e-3, 1, 40, 1e6], "f4")
    distribution = layers.ContinuousBernoulli().distribution(logits[:, np.newaxis])
    draws = distribution.sample(4000, seed=(1, 2)).numpy()
    assert ((draws >= 0) & (draws <= 1)).all()
    for i, logit in enumerate(logits[1:-1], start=1):
        p = 1 / (1 + np.exp(-np.float64(logit)))
        uniform = draws[:, i].astype("f8")
        if abs(p - 0.5) > 1e-6:
            uniform = np.expm1(np.float64(logit) * uniform) / np.expm1(np.float64(logit))
        assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    # Reparameterised: d/d logit of E[x] is the variance of x.
    with tf.GradientTape() as tape:
        raw = tf.zeros([1], tf.float64) + 0.7
        tape.watch(raw)
        made = layers.ContinuousBernoulli().distribution(raw)
        mean = tf.reduce_mean(made.sample(20000, seed=(3, 4)))
    np.testing.assert_allclose(tape.gradient(mean, raw)[0], made.variance(), rtol=0.05)


def test_l2_is_a_special_case() -> None:
    """-log p(x|z) = ||x - μ||² / (2 σ²) + n/2 log(2 π σ²), to the last digit of float64."""
    x, sigma = reals(6, 2, 3), 0.3
    actual, mu = density(layers.HomoscedasticNormal([2, 3], scale=sigma), x)
    squares = ((x - mu.reshape(x.shape)) ** 2).sum(axis=(1, 2))
    expected = squares / (2 * sigma**2) + 6 / 2 * np.log(2 * np.pi * sigma**2)
    np.testing.assert_allclose(-actual, expected, rtol=1e-12)


def test_learned_scale_finds_the_root_mean_squared_error() -> None:
    layer = layers.HomoscedasticNormal([3], scale=2.0, learn_scale=True)
    assert [w.name for w in layer.trainable_weights] == ["log_scale"]
    mu, x = normal_params(50, 3), reals(50, 3).astype("f4")
    rms = np.sqrt(np.mean((x - mu) ** 2))
    layer.log_scale.assign(np.log(rms))
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(layer.distribution(mu).log_prob(x))
    (gradient,) = tape.gradient(loss, layer.trainable_weights)
    np.testing.assert_allclose(gradient, 0, atol=1e-5)
    layer.log_scale.assign(100.0)  # as after a bad step: still a number, and a way back
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(layer.distribution(mu).log_prob(x))
    (gradient,) = tape.gradient(loss, layer.trainable_weights)
    assert np.isfinite(loss)
    assert gradient > 0


def test_bounds_of_scales() -> None:
    raw = tf.constant([-1e6, -50.0, 0.0, 1e6])
    expected = [MIN_SCALE, MIN_SCALE, np.log(2) + MIN_SCALE, MAX_SCALE]
    np.testing.assert_allclose(positive_scale(raw), expected, rtol=1e-6)
    assert positive_scale(tf.cast(raw, tf.float64)).dtype == tf.float64


def test_categorical_planes_are_classes() -> None:
    layer = layers.Categorical([2, 2], 3)
    logits = normal_params(5, 3, 2, 2, dtype="float64")  # as a channels-first decoder emits them
    distribution = layer.distribution(tf.reshape(logits, [5, -1]))
    x = whole(2, 5, 2, 2)
    log_probs = tf.nn.log_softmax(logits, axis=1).numpy()
    expected = np.take_along_axis(log_probs, x[:, np.newaxis].astype(int), axis=1).sum((1, 2, 3))
    np.testing.assert_allclose(distribution.log_prob(x), expected)
    np.testing.assert_array_equal(layer.point_estimate(distribution), np.argmax(logits, axis=1))
    assert layer.support == (0.0, 2.0)
    assert layer.params_per_element == 3


def test_continuous_units_are_within_support() -> None:
    assert layers.ContinuousBernoulli.support == (0.0, 1.0)
    assert np.isfinite(density(layers.ContinuousBernoulli([4]), units(3, 4))[0]).all()
