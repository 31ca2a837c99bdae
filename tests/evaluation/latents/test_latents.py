"""Figures of the latent dimensions against known values."""

import keras
import numpy as np
import pytest

from tests.linear_gaussian import LinearGaussian
from vae_tf import VAE, InputError
from vae_tf.evaluation import (
    active_units,
    aggregated_posterior,
    collapse_verdict,
    kl_decomposition,
    kl_per_dimension,
)
from vae_tf.evaluation.latents.active_units import ActiveUnits
from vae_tf.layers import HomoscedasticNormal, IndependentNormal
from vae_tf.layers.base import MIN_SCALE
from vae_tf.priors import GaussianMixture

SCALES = np.array([0.5, 0.8, 1.0])


def coder(slopes: list[float], shift: float = 0.0, scales: np.ndarray = SCALES, **parts) -> VAE:
    """q(z_d|x) = N(slope_d x_d + shift, scale_d²): everything about its codes is known."""
    size = len(slopes)
    encoder = keras.Sequential([keras.Input((size,)), keras.layers.Dense(2 * size)])
    raw = np.log(np.expm1(scales - MIN_SCALE))
    kernel = np.hstack([np.diag(slopes), np.zeros([size, size])])
    encoder.set_weights([kernel, np.concatenate([np.full(size, shift), raw])])
    decoder = keras.Sequential([keras.Input((size,)), keras.layers.Dense(size)])
    return VAE(encoder, IndependentNormal([size]), decoder, HomoscedasticNormal([size]), **parts)


def gaussian_kl(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """KL(N(mean, variance) || N(0, 1))."""
    return 0.5 * (mean**2 + variance - 1 - np.log(variance))


def test_kl_per_dimension_and_active_units_have_their_known_values():
    x = np.random.default_rng(0).normal(size=(500, 3))
    vae = coder([2.0, 0.05, 0.0])
    expected = gaussian_kl(x * [2.0, 0.05, 0.0], SCALES**2).mean(axis=0)
    np.testing.assert_allclose(kl_per_dimension(vae, x, batch_size=64), expected, atol=1e-4)
    units = active_units(vae, x, batch_size=64)
    np.testing.assert_allclose(
        units.variances, [4, 0.0025, 0] * x.var(axis=0, ddof=1), rtol=1e-3, atol=1e-9
    )
    assert units.mask.tolist() == [True, False, False]
    assert active_units(vae, x, threshold=0.001).count == 2


def test_kl_per_dimension_of_a_mixture_is_refused():
    with pytest.raises(InputError, match="IndependentNormal and GaussianMixture"):
        kl_per_dimension(coder([1.0, 1.0, 1.0], prior=GaussianMixture(3)), np.zeros([4, 3]))


@pytest.mark.parametrize(
    ("variances", "kind", "advice"),
    [
        ([0.0, 0.001], "full", "none of the 2"),
        ([1.0, 0.001], "partial", "1 of 2"),
        ([1.0, 0.02], "none", "larger latent_dim"),
    ],
)
def test_collapse_verdict(variances, kind, advice):
    verdict = collapse_verdict(ActiveUnits(np.array(variances), 0.01), kl=1.0)
    assert verdict.kind == kind
    assert advice in verdict.sentence


def verdict_of(vae, x):
    return collapse_verdict(
        active_units(vae, x),
        kl_per_dimension(vae, x).sum(),
        kl_per_dimension(vae, x),
        aggregated_posterior(vae, x),
        kl_decomposition(vae, x),
    )


def test_codes_in_few_directions_are_no_reason_for_more_dimensions():
    # 8 active dimensions that all repeat two numbers, with posteriors far narrower than the prior.
    two = np.random.default_rng(0).normal(size=(600, 2))
    x = two @ np.random.default_rng(1).normal(size=(2, 8))
    found = verdict_of(coder([1.0] * 8, scales=np.full(8, 0.1)), x)
    assert found.kind == "partial"
    assert "2 principal components of 8 hold 100.0%" in found.sentence
    assert "larger latent_dim" not in found.sentence
    assert "Draws from the prior will not look like data" in found.sentence


def test_the_dimensions_that_would_do_are_those_that_carry_the_kl():
    x = np.random.default_rng(0).normal(size=(600, 8))
    slopes = [2.0, 2.0, 2.0, 2.0, 0.12, 0.12, 0.12, 0.0]  # 7 of 8 are active
    scales = np.r_[np.full(4, 0.3), np.ones(4)]
    sentence = verdict_of(coder(slopes, scales=scales), x).sentence
    assert "a latent_dim of 4 would do" in sentence


def test_a_marginal_kl_that_is_large_for_want_of_examples_is_no_reproach():
    # q(z) is the prior, and 300 examples are too few to tell: the mutual information saturates.
    x = np.random.default_rng(0).normal(size=(300, 12))
    vae = coder([0.99] * 12, scales=np.full(12, 0.14))
    assert kl_decomposition(vae, x).marginal_kl > 5
    assert verdict_of(vae, x).sentence.endswith("try a larger latent_dim, which may fit better.")


def test_kl_decomposition_of_gaussian_codes_is_the_closed_form():
    # z_d ~ N(0.3, slope² + scale²) over the population, independent.
    slopes = np.array([1.0, 0.5, 0.0])
    x = np.random.default_rng(1).normal(size=(3000, 3))
    result = kl_decomposition(coder(slopes.tolist(), shift=0.3), x, seed=2)
    variance = slopes**2 + SCALES**2
    information = 0.5 * np.log(variance / SCALES**2).sum()
    marginal = gaussian_kl(np.full(3, 0.3), variance).sum()
    # Besides the draws' error there is that of 3000 examples standing for the population.
    assert abs(result.mutual_information - information) < 4 * result.mutual_information_error
    assert abs(result.marginal_kl - marginal) < 4 * result.marginal_kl_error
    assert abs(result.total_correlation) < 0.02
    assert result.dimension_wise_kl == pytest.approx(
        result.marginal_kl - result.total_correlation, abs=1e-9
    )
    assert result.kl == pytest.approx(result.mutual_information + result.marginal_kl, abs=1e-6)
    assert not result.saturated


def test_kl_decomposition_finds_total_correlation():
    # Two copies of one number: z = u + 0.5 ε in both, so the correlation is 1 / 1.25.
    x = np.repeat(np.random.default_rng(3).normal(size=(3000, 1)), 2, axis=1)
    result = kl_decomposition(coder([1.0, 1.0], scales=np.array([0.5, 0.5])), x)
    assert result.total_correlation == pytest.approx(-0.5 * np.log(1 - 0.8**2), abs=0.06)


def test_mutual_information_lies_between_nothing_and_log_n():
    same = kl_decomposition(coder([1.0, 1.0, 1.0]), np.ones([300, 3]))
    assert same.mutual_information == pytest.approx(0, abs=1e-5)
    apart = kl_decomposition(coder([1e4, 0.0, 0.0]), np.arange(300.0)[:, None] * [1, 0, 0])
    assert apart.mutual_information == pytest.approx(np.log(300), abs=1e-5)
    assert apart.saturated


def test_kl_decomposition_with_a_full_covariance():
    model = LinearGaussian.random(event_size=5, latent_dim=2)
    result = kl_decomposition(model.vae(), model.draw(1500))
    # With the exact posterior q(z) is the prior, and I(x; z) is that of the model.
    gain = np.eye(2) + model.weights.T @ model.weights / model.scale**2
    assert abs(result.marginal_kl) < 4 * result.marginal_kl_error + 0.02
    assert result.mutual_information == pytest.approx(0.5 * np.linalg.slogdet(gain)[1], abs=0.1)
    assert result.total_correlation is None
    assert result.dimension_wise_kl is None


def test_aggregated_posterior_moments():
    x = np.random.default_rng(4).normal(size=(400, 3)) @ np.diag([1, 1, 0])
    x[:, 1] = x[:, 0]
    result = aggregated_posterior(coder([2.0, 1.0, 1.0], shift=0.5), x, batch_size=150)
    np.testing.assert_allclose(result.mean, x.mean(axis=0) * [2, 1, 1] + 0.5, atol=1e-5)
    centres = x * [2, 1, 1]
    expected = np.cov(centres.T, bias=True) + np.diag(SCALES**2)
    np.testing.assert_allclose(result.covariance, expected, atol=1e-4)
    assert result.mean_error == pytest.approx(np.sqrt(np.mean(result.mean**2)))
    assert result.covariance_error == pytest.approx(
        np.linalg.norm(expected - np.eye(3)) / np.sqrt(3), abs=1e-4
    )
    # q(z) is the prior where the encoder ignores x and says N(0, I).
    matched = aggregated_posterior(coder([0.0, 0.0, 0.0], scales=np.ones(3)), x)
    assert matched.mean_error < 1e-6
    assert matched.covariance_error < 1e-4


def test_aggregated_posterior_beside_a_mixture():
    prior = GaussianMixture(3, num_components=2)
    prior.loc.assign([[3.0, 0, 0], [-3.0, 0, 0]])
    result = aggregated_posterior(coder([1.0, 1.0, 1.0], prior=prior), np.zeros([2, 3]))
    np.testing.assert_allclose(result.prior_covariance, np.diag([10, 1, 1]), atol=0.1)
