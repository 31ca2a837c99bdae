"""Estimates of log p(x) where log p(x) is known: on linear-Gaussian models."""

import numpy as np
import pytest
import tensorflow as tf

from tests.linear_gaussian import LinearGaussian
from tests.small_vae import binary_images, small_vae
from vae_tf import VAE, InputError
from vae_tf.evaluation import (
    annealed_importance_sampling,
    bits_per_dim,
    exact_log_prob,
    exact_posterior,
    hmc_marginal_likelihood,
    importance_weighted_bound,
    rate_distortion,
)
from vae_tf.evaluation.log_prob import importance_weighted as importance_module
from vae_tf.evaluation.log_prob.log_prob_estimate import LogProbEstimate, log_mean_exp
from vae_tf.inference.importance_weights import importance_weighted_bound as bound_of

MODEL = LinearGaussian.random(event_size=5, latent_dim=3)
X = MODEL.draw(24)
EXACT = MODEL.marginal.logpdf(X)


@pytest.fixture(scope="module")
def vae() -> VAE:
    """Its q(z|x) is factorised and a fifth too wide, so no estimator has an easy life."""
    return MODEL.vae(exact_posterior=False)


def assert_within_three_errors(estimate: LogProbEstimate, most: float) -> None:
    """The mean is within 3 of its standard errors, which are themselves below `most` nats."""
    assert 0 < estimate.monte_carlo_error < most
    assert abs(estimate.mean - EXACT.mean()) < 3 * estimate.monte_carlo_error


def test_exact_is_the_marginal_and_the_posterior(vae):
    np.testing.assert_allclose(exact_log_prob(vae, X).values, EXACT, rtol=1e-6)
    posterior, q_z_given_x = exact_posterior(vae, X), MODEL.vae().encode(X)
    np.testing.assert_allclose(posterior.mean(), q_z_given_x.mean(), atol=1e-5)
    np.testing.assert_allclose(posterior.covariance()[0], q_z_given_x.covariance()[0], atol=1e-5)


def test_exact_refuses_what_is_not_linear_gaussian(vae):
    with pytest.raises(InputError, match="HomoscedasticNormal likelihood"):
        exact_log_prob(small_vae(), binary_images(3))
    bent = VAE(vae.encoder, vae.posterior, small_decoder("tanh"), vae.likelihood)
    with pytest.raises(InputError, match=r"without activation.*\(Dense\)"):
        exact_log_prob(bent, X)


def small_decoder(activation):
    import keras

    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, activation)])


def test_importance_weighted_bound_grows_to_the_exact_value(vae):
    assert_within_three_errors(importance_weighted_bound(vae, X, 5000), most=0.01)
    many = MODEL.draw(3000)
    bounds = [importance_weighted_bound(vae, many, k, batch_size=3000) for k in (1, 4, 16)]
    gaps = [MODEL.marginal.logpdf(many).mean() - bound.mean for bound in bounds]
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2] > 0  # about 1 / K
    assert np.isnan(bounds[0].errors).all()  # one draw tells nothing of its error


def test_its_errors_are_the_spread_of_repetitions(vae):
    repetitions = 100
    x = np.repeat(X[:4], repetitions, axis=0)  # each row has draws of its own
    estimate = importance_weighted_bound(vae, x, 1000)
    spread = estimate.values.reshape(4, repetitions).std(axis=1, ddof=1)
    claimed = estimate.errors.reshape(4, repetitions).mean(axis=1)
    np.testing.assert_allclose(claimed, spread, rtol=0.3)


@pytest.mark.parametrize("start", ["prior", "posterior"])
def test_annealed_importance_sampling(vae, start):
    # Few steps: chains that accept by the density of the step before are 0.2 nats off by now.
    estimate = annealed_importance_sampling(vae, X, 30, 64, start=start, warm_up_steps=60)
    assert_within_three_errors(estimate, most=0.05)
    assert 0.5 < estimate.acceptance_rate < 1


def test_hmc_marginal_likelihood(vae):
    estimate = hmc_marginal_likelihood(vae, X, 50, 16, warm_up_steps=100)
    assert_within_three_errors(estimate, most=0.01)
    assert 0.5 < estimate.acceptance_rate < 1


def test_the_seed_decides(vae):
    first, again, other = (importance_weighted_bound(vae, X, 20, seed=s).values for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.all(first != other)


def test_memory_does_not_grow_with_k(vae, monkeypatch):
    monkeypatch.setattr("vae_tf.evaluation.batching._FLOATS", 5 * 10 * 7)  # 7 draws of 10 examples
    monkeypatch.setattr(importance_module, "compiled", lambda vae, function, latents: function)
    seen = []

    infer = vae.infer

    def recording(*arguments, **options):
        seen.append(infer(*arguments, **options))
        return seen[-1]

    monkeypatch.setattr(vae, "infer", recording)
    estimate = importance_weighted_bound(vae, X[:10], 50)
    assert [trace.z["z"].shape[0] for trace in seen] == [7] * 7 + [1]
    # The streamed sums are those of all weights at once.
    log_w = tf.concat([trace.log_weights for trace in seen], axis=0)
    np.testing.assert_allclose(estimate.values, bound_of(log_w), rtol=1e-5)
    np.testing.assert_allclose(estimate.errors, log_mean_exp(log_w.numpy())[1], rtol=1e-3)


def test_a_last_batch_that_is_smaller_counts_only_its_own(vae):
    whole = importance_weighted_bound(vae, X[:10], 3000, batch_size=10)
    parts = importance_weighted_bound(vae, X[:10], 3000, batch_size=4)
    assert parts.values.shape == (10,)
    np.testing.assert_allclose(parts.values, whole.values, atol=6 * whole.errors.max())
    dataset = tf.data.Dataset.from_tensor_slices((X[:10], np.arange(10))).batch(3)
    np.testing.assert_array_equal(
        importance_weighted_bound(vae, dataset, 3000, batch_size=4).values, parts.values
    )


def test_rate_and_distortion_are_the_terms_of_the_elbo(vae):
    result = rate_distortion(vae, X, 200)
    terms = vae.elbo(np.repeat(X, 200, axis=0), seed=3)
    assert result.rate == pytest.approx(float(tf.reduce_mean(terms.kl)), rel=1e-4)
    assert result.distortion == pytest.approx(
        -float(tf.reduce_mean(terms.log_likelihood)), rel=0.02
    )
    assert result.elbo == pytest.approx(-result.rate - result.distortion)
    assert result.rate_error == pytest.approx(
        np.std(terms.kl.numpy()[::200], ddof=1) / np.sqrt(24), rel=1e-3
    )


def test_bits_per_dim_of_uniform_pixels_is_eight():
    # Density 1 on the unit cube, in which every level has a 256th.
    assert bits_per_dim(0.0, (4, 4, 3), levels=256, dequantized=True) == 8
    # Levels k/255, each in the middle of a cell of 1/255: the density on all of them is 255/256.
    even = 48 * np.log(255 / 256)
    assert bits_per_dim(even, (4, 4, 3), levels=256) == pytest.approx(8, abs=1e-12)
    assert bits_per_dim(0.0, 3, levels=2) == 0  # one cell from 0 to 1
    assert bits_per_dim(-48 * np.log(256), (4, 4, 3)) == pytest.approx(8)  # 256 equal masses


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda vae: importance_weighted_bound(vae, X, 0), "num_samples is an int of at least 1"),
        (lambda vae: importance_weighted_bound(vae, X[:0]), "x is empty"),
        (lambda vae: importance_weighted_bound(vae, X[:, :4]), r"expected \[batch, 5\]"),
        (lambda vae: importance_weighted_bound(vae, X * np.nan), "finite values"),
        (lambda vae: importance_weighted_bound(vae, X, batch_size=0), "batch_size is an int"),
        (lambda vae: rate_distortion(vae, X[:1]), "x has 1 example, expected at least 2"),
        (lambda vae: annealed_importance_sampling(vae, X, start="x"), "start is one of prior"),
        (lambda vae: annealed_importance_sampling(vae, X, num_chains=1), "num_chains is an int"),
        (lambda vae: hmc_marginal_likelihood(vae, X, 1, 2), "too few to fit a covariance"),
        (lambda vae: exact_log_prob(vae, X[:1]).standard_error, "at least 2"),
        (lambda vae: bits_per_dim(1.0, (3,), levels=1), "levels is an int of at least 2"),
    ],
)
def test_bad_input_is_one_sentence(vae, call, message):
    with pytest.raises(InputError, match=message):
        call(vae)
