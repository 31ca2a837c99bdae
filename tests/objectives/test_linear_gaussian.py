"""Objectives and estimators where log p(x), the posterior and the optimum are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tests.linear_gaussian import LinearGaussian
from vae_tf.inference.batch import Batch
from vae_tf.inference.elbo import elbo_terms
from vae_tf.inference.importance_weights import importance_weighted_bound, merge_bounds
from vae_tf.inference.trace import Choice
from vae_tf.layers import HomoscedasticNormal, IndependentNormal, MultivariateNormalTriL
from vae_tf.models.vae import VAE
from vae_tf.objectives import ELBO, IWAE, BetaTC
from vae_tf.utils.seeds import as_seed

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture
def float64():
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


MODEL = LinearGaussian.random(event_size=5, latent_dim=3)


def test_elbo_with_the_exact_posterior_is_log_p_x():
    vae, x = MODEL.vae(), MODEL.draw(20)
    exact = MODEL.marginal.logpdf(x)

    # With the exact posterior log p(x, z) - log q(z|x) is log p(x) at every z.
    monte_carlo = elbo_terms(vae.infer(Batch(x), seed=as_seed(3)), kl="monte_carlo")
    np.testing.assert_allclose(monte_carlo.elbo, exact, atol=1e-4)

    # The analytic KL leaves the variance of log p(x|z), a quadratic in z: the 2 D points
    # mean ± √D L_d have its expectation exactly.
    q = vae.encode(x)
    columns = np.sqrt(3) * np.moveaxis(q.scale.to_dense().numpy(), -1, 0)  # [D, B, D]
    z = tf.concat([q.mean() + columns, q.mean() - columns], axis=0)
    trace = vae.trace(Batch(x), lambda index, name, q, p, lead: Choice(z, q, drawn=True), 6)
    np.testing.assert_allclose(elbo_terms(trace, kl="analytic").elbo, exact, atol=1e-4)


@pytest.mark.parametrize("exact_posterior", [True, False])
def test_estimators_a_and_b_agree_in_expectation(exact_posterior):
    vae, x = MODEL.vae(exact_posterior), MODEL.draw(4)
    trace = vae.infer(Batch(x), 20_000, seed=as_seed(0))
    a, b = elbo_terms(trace, kl="monte_carlo"), elbo_terms(trace, kl="analytic")
    log_ratio = trace.log_q - trace.log_prior
    standard_error = tf.math.reduce_std(log_ratio, axis=0) / np.sqrt(20_000)
    assert np.all(np.abs(a.kl - b.kl) < 4 * standard_error)
    np.testing.assert_array_equal(a.log_likelihood, b.log_likelihood)


def test_log_prob_is_the_exact_marginal():
    x = MODEL.draw(10)
    exact = MODEL.marginal.logpdf(x)
    np.testing.assert_allclose(MODEL.vae().log_prob(x, num_samples=10, seed=0), exact, atol=1e-3)

    # Another posterior: L_K rises to log p(x) from below.
    x = MODEL.draw(1000)
    exact = MODEL.marginal.logpdf(x)
    vae = MODEL.vae(exact_posterior=False)
    gaps = [np.mean(exact - vae.log_prob(x, num_samples=k, seed=0)) for k in (1, 30, 5000)]
    assert gaps[0] > gaps[1] > gaps[2] > -1e-2
    assert gaps[2] < 2e-2


def test_bounds_of_separate_draws_merge_into_the_bound_of_all():
    log_weights = np.random.default_rng(0).normal(size=(8, 3), scale=20)
    merged = merge_bounds(
        importance_weighted_bound(log_weights[:3]), 3, importance_weighted_bound(log_weights[3:]), 5
    )
    np.testing.assert_allclose(merged, importance_weighted_bound(log_weights), rtol=1e-12)


def test_log_prob_in_chunks_draws_as_many_as_asked(monkeypatch):
    vae, x = MODEL.vae(exact_posterior=False), MODEL.draw(3)
    drawn = []
    bound = vae._bound
    monkeypatch.setattr("vae_tf.models.latent_variable_model._LOG_PROB_FLOATS", 40 * 5 * 3)
    monkeypatch.setitem(
        vars(vae),
        "_bound",
        lambda x, samples, seed: drawn.append((samples, *seed.numpy())) or bound(x, samples, seed),
    )
    vae.log_prob(x, num_samples=100, seed=0)
    assert [samples for samples, *_ in drawn] == [40, 40, 20]
    assert len({tuple(seed) for _, *seed in drawn}) == 3


@pytest.mark.parametrize(
    "objective",
    [
        ELBO(kl="analytic"),
        ELBO(kl="monte_carlo", samples=3),
        ELBO(beta=0.3),
        IWAE(samples=4),
        ELBO(free_bits=0.9),
        BetaTC(dataset_size=100, beta=2.0),
    ],
    ids=repr,
)
def test_gradients_match_finite_differences(objective):
    needs_factors = isinstance(objective, BetaTC) or objective.get_config().get("free_bits")
    vae, x = MODEL.vae(exact_posterior=not needs_factors), tf.constant(MODEL.draw(6))
    vae.objective = objective

    def loss() -> tf.Tensor:
        result = objective(vae, x, step=tf.constant(0), seed=as_seed(5), training=True)
        return tf.reduce_mean(result.loss)

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, vae.trainable_variables)
    random = np.random.default_rng(0)
    for variable, gradient in zip(vae.trainable_variables, gradients, strict=True):
        start, direction, epsilon = variable.numpy(), random.normal(size=variable.shape), 1e-5
        variable.assign(start + epsilon * direction)
        above = loss()
        variable.assign(start - epsilon * direction)
        below = loss()
        variable.assign(start)
        expected = (above - below) / (2 * epsilon)
        np.testing.assert_allclose(np.sum(gradient * direction), expected, rtol=1e-6, atol=1e-8)


def test_doubly_reparameterised_gradient_is_unbiased_and_quieter():
    vae, x = MODEL.vae(exact_posterior=False), tf.constant(MODEL.draw(5))

    @tf.function
    def gradients(objective: IWAE, seed: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            result = objective(vae, x, step=tf.constant(0), seed=seed, training=True)
            loss = tf.reduce_mean(result.loss)
        return loss, tape.gradient(loss, [vae.encoder.weights[1], vae.decoder.weights[0]])

    plain, doubly = [], []
    objectives = IWAE(10), IWAE(10, doubly_reparameterised=True)
    for seed in range(400):
        loss_1, (encoder_1, decoder_1) = gradients(objectives[0], as_seed(seed))
        loss_2, (encoder_2, decoder_2) = gradients(objectives[1], as_seed(seed))
        np.testing.assert_allclose(loss_1, loss_2)
        np.testing.assert_allclose(decoder_1, decoder_2, atol=1e-10)
        plain.append(encoder_1)
        doubly.append(encoder_2)
    difference = np.array(plain) - np.array(doubly)
    standard_error = difference.std(axis=0) / np.sqrt(len(difference))
    assert np.all(np.abs(difference.mean(axis=0)) < 4 * standard_error)
    assert np.var(doubly, axis=0).mean() < 0.5 * np.var(plain, axis=0).mean()


def test_beta_tc_with_unit_weights_is_the_elbo():
    vae, x = MODEL.vae(exact_posterior=False), tf.constant(MODEL.draw(8))
    arguments = {"step": tf.constant(0), "seed": as_seed(2)}
    unit = BetaTC(dataset_size=1000, beta=1.0)(vae, x, **arguments)
    elbo = ELBO(kl="monte_carlo")(vae, x, **arguments)
    np.testing.assert_allclose(unit.loss, elbo.loss, atol=1e-9)


def test_total_correlation_of_independent_codes_is_small_and_of_copied_ones_large():
    """Codes drawn from N(0, I) have TC 0; two copies of one code have its mutual information."""
    random = np.random.default_rng(0)

    class Codes(VAE):
        def __init__(self, loc):
            encoder, decoder = keras.layers.Dense(4), keras.layers.Dense(1)
            super().__init__(
                encoder, IndependentNormal([2]), decoder, HomoscedasticNormal([1]), seed=0
            )
            self.loc = loc

        def encode(self, x, training=False):
            if len(x) == 1:  # the event of zeros that builds the model
                return super().encode(x, training)
            return tfd.Independent(tfd.Normal(self.loc, 0.1), 1)

    n = 2000
    independent = random.normal(size=(n, 2))
    copied = np.repeat(independent[:, :1], 2, axis=1)

    def total_correlation(loc):
        result = BetaTC(dataset_size=n)(
            Codes(loc), tf.zeros([n, 1], tf.float64), step=tf.constant(0), seed=as_seed(1)
        )
        return float(tf.reduce_mean(result.logs["total_correlation"]))

    # z = u + 0.1 ε for both: KL between the joint and the product, var 1.01, correlation 1/1.01.
    expected = -0.5 * np.log(1 - (1 / 1.01) ** 2)
    assert abs(total_correlation(independent)) < 0.1
    assert abs(total_correlation(copied) - expected) < 0.1


def test_fit_reaches_the_probabilistic_pca_optimum():
    data = LinearGaussian.random(event_size=6, latent_dim=2, seed=3).draw(2000, seed=4)
    eigenvalues = np.linalg.eigvalsh(np.cov(data.T, bias=True))[::-1]
    scale = np.sqrt(eigenvalues[2:].mean())  # Tipping and Bishop (1999), equation 8
    covariance_eigenvalues = np.r_[eigenvalues[:2], np.repeat(scale**2, 4)]
    optimum = -0.5 * (6 * np.log(2 * np.pi) + np.log(covariance_eigenvalues).sum() + 6)

    keras.utils.set_random_seed(0)
    posterior = MultivariateNormalTriL(2)
    encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(posterior.params_size)])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6)])
    vae = VAE(encoder, posterior, decoder, HomoscedasticNormal([6], learn_scale=True), seed=1)
    steps = 100 * 20
    rate = keras.optimizers.schedules.CosineDecay(0.02, steps)
    vae.compile(keras.optimizers.Adam(rate), ELBO(kl="analytic"))
    vae.fit(data, batch_size=100, epochs=100, verbose=0)

    found = float(tf.reduce_mean(vae.log_prob(data, num_samples=50, seed=0)))
    assert abs(found - optimum) < 0.01 * abs(optimum)
    elbo = vae.evaluate(data, verbose=0, return_dict=True)["elbo"]
    assert abs(elbo - optimum) < 0.01 * abs(optimum)
    learned_scale = vae.likelihood.distribution(np.zeros([1, 6])).distribution.scale
    np.testing.assert_allclose(learned_scale.numpy().max(), scale, rtol=0.01)
