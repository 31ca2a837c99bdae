"""Errors of estimates of log p(x) that hold, or are marked where they do not."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from tests.one_dimensional import OneDimensional
from tests.small_vae import binary_images, small_vae
from vae_tf.evaluation import (
    annealed_importance_sampling,
    hmc_marginal_likelihood,
    importance_weighted_bound,
)
from vae_tf.evaluation.log_prob.log_prob_estimate import LogProbEstimate, log_mean_exp
from vae_tf.evaluation.log_prob.pareto_k import pareto_k, tail_size

REPRODUCTIONS = Path(__file__).parents[3] / "reproductions"
X = np.linspace(0.5, 4, 8)[:, None]
TWO_MODES = OneDimensional(right=1, left=0.7, scale=0.2, slope=0, q_scale=3)
EQUAL_MODES = OneDimensional(right=1, left=1, scale=0.2, slope=0, q_scale=3)
MINOR_MODE = OneDimensional(right=1, left=0.1, scale=0.1, slope=0, q_scale=20)
NARROW_Q = OneDimensional(right=1, left=-1, scale=0.5, slope=0.8, q_scale=0.05)


def off(estimate, exact):
    return np.abs(estimate.values - exact) > 5 * estimate.errors


@pytest.mark.parametrize("model", [TWO_MODES, EQUAL_MODES, MINOR_MODE, NARROW_Q])
def test_hmc_finds_the_integral_or_says_that_it_may_not(model):
    found, exact = hmc_marginal_likelihood(model.vae(), X), model.log_prob(X)
    assert not np.any(off(found, exact) & ~found.unreliable)
    # Chains that start at draws of q itself are up to 391 nats off here.
    np.testing.assert_allclose(found.values, exact, atol=0.4)
    assert np.all(found.errors < 0.3)


@pytest.mark.parametrize("model", [TWO_MODES, EQUAL_MODES, NARROW_Q])
def test_annealing_finds_the_integral_or_says_that_it_may_not(model):
    found = annealed_importance_sampling(model.vae(), X, 100, 32, warm_up_steps=50)
    assert not np.any(off(found, model.log_prob(X)) & ~found.unreliable)
    assert np.median(np.abs(found.values - model.log_prob(X))) < 0.2


@pytest.mark.parametrize("model", [TWO_MODES, EQUAL_MODES, NARROW_Q])
def test_importance_weighting_finds_the_integral_or_says_that_it_may_not(model):
    found, exact = importance_weighted_bound(model.vae(), X, 5000), model.log_prob(X)
    wrong = off(found, exact)
    if model is NARROW_Q:  # a nat too low, with errors of a tenth
        assert np.mean(exact - found.values) > 5 * found.monte_carlo_error
        assert found.unreliable[wrong].mean() >= 0.75  # k-hat is an estimate itself
        assert "their errors may be larger than stated" in found.reliability
    else:
        assert not np.any(wrong & ~found.unreliable)


def test_chains_that_do_not_mix_are_marked():
    # Two modes of different height with nothing between them.
    found = hmc_marginal_likelihood(TWO_MODES.vae(), X[4:5])
    assert found.r_hat[0] > 1.1
    assert found.unreliable.tolist() == [True]
    assert "1 of 1 examples unreliable" in found.reliability


@pytest.mark.parametrize("shape", [0.2, 0.5, 0.8, 1.5])
def test_pareto_k_is_the_shape_of_the_tail(shape):
    uniform = np.random.default_rng(0).uniform(size=(5000, 50))
    log_weights = -shape * np.log(uniform)  # Pareto
    found = pareto_k(log_weights, 5000)
    # The fit is drawn to 0.5 by 10 draws, of 213.
    assert found.mean() == pytest.approx((shape * 213 + 5) / 223, abs=0.06)
    assert found.std() < 0.2


def test_pareto_k_needs_the_largest_weights_alone():
    log_weights = np.random.default_rng(1).normal(size=(400, 3)) * 2
    largest = np.sort(log_weights, axis=0)[-tail_size(400) - 1 :]
    np.testing.assert_array_equal(pareto_k(largest, 400), pareto_k(log_weights, 400))


@pytest.mark.parametrize(
    ("log_weights", "expected"),
    [
        (np.zeros(100), np.isnan),
        (np.random.default_rng(0).normal(size=20), np.isnan),  # a tail of 4
        (np.random.default_rng(0).normal(size=100) * 1000, lambda k: k > 100),  # they underflow
        (np.r_[np.full(98, -np.inf), 0, 1], lambda k: k > 0.7),
    ],
)
def test_pareto_k_of_odd_weights(log_weights, expected):
    assert expected(pareto_k(log_weights[:, None], len(log_weights))[0])


def test_a_few_weights_that_carry_the_mean_are_marked():
    log_weights = np.zeros([16, 2])
    log_weights[0, 1] = 50  # one of 16: too few for a k-hat, and the error is at its largest
    value, error, size, shape = log_mean_exp(log_weights)
    found = LogProbEstimate("", value, error, 16, effective_sample_sizes=size, pareto_k=shape)
    np.testing.assert_allclose(size, [16, 1])
    np.testing.assert_allclose(error, [0, 1], atol=1e-6)
    assert np.isnan(shape).all()
    assert found.unreliable.tolist() == [False, True]
    assert "no Pareto k-hat below K=21, 1 of 2 examples unreliable" in found.reliability
    assert found.as_dict()["pareto_k"] is None
    assert found.as_dict()["unreliable"] == 1


def test_one_weight_says_nothing_of_its_error():
    found = importance_weighted_bound(small_vae(), binary_images(3), 1)
    figures = found.as_dict()
    assert figures["unreliable"] is figures["pareto_k"] is figures["monte_carlo_error"] is None


def test_published_estimates_differ_by_no_more_than_their_errors_or_are_marked():
    published = json.loads((REPRODUCTIONS / "marginal_likelihood.json").read_text())
    for estimates in published["estimates"].values():
        for one, other in itertools.combinations(estimates.values(), 2):
            error = np.hypot(one["monte_carlo_error"], other["monte_carlo_error"])
            agree = abs(one["mean"] - other["mean"]) < 4 * error
            assert agree or one["unreliable"] or other["unreliable"]
    table = (REPRODUCTIONS / "marginal_likelihood.md").read_text()
    documented = (REPRODUCTIONS.parent / "docs" / "evaluation.md").read_text()
    assert table.strip() in documented
