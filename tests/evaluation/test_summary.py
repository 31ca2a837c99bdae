import json

import numpy as np
import pytest

from tests.linear_gaussian import LinearGaussian
from tests.small_vae import binary_images, small_vae
from vae_tf import InputError
from vae_tf.evaluation import annealed_importance_sampling, evaluate


def test_evaluate_gathers_everything_and_repeats_itself():
    vae, x, y = small_vae(), binary_images(60), np.arange(60) % 3
    stages = []
    chains = {"ais_examples": 2, "ais_steps": 20, "hmc_examples": 2}
    arguments = {"num_samples": 20, "seed": 5}
    first = evaluate(vae, x, y, progress=lambda *stage: stages.append(stage), **arguments, **chains)
    assert {stage[0] for stage in stages if stage[1] == stage[2]} == {
        "rate and distortion",
        "importance-weighted bound",
        "annealed importance sampling",
        "HMC marginal likelihood",
        "KL decomposition",
    }
    assert first.log_prob.mean > first.rate_distortion.elbo
    assert first.exact is None
    assert np.sum(first.kl_per_dimension) == pytest.approx(first.rate_distortion.rate, rel=1e-4)
    assert first.bits_per_dim == pytest.approx(-first.log_prob.mean / 16 / np.log(2))
    by_label = first.log_prob_by_label
    assert by_label["1"] == (pytest.approx(first.log_prob.values[1::3].mean()), 20)
    assert "first 2 examples, where L_20 is" in str(first)
    assert f"{first.rate_distortion.elbo:.3f}" in str(first)

    figures = json.loads(json.dumps(first.as_dict(), allow_nan=False))
    assert figures.pop("hmc")["samples"] == 16
    again = annealed_importance_sampling(vae, x[:2], 20, seed=5)
    assert figures.pop("ais") == again.as_dict()
    without_chains = evaluate(vae, x, y, **arguments).as_dict()
    assert without_chains.pop("ais") is without_chains.pop("hmc") is None
    assert figures == json.loads(json.dumps(without_chains))


def test_evaluate_adds_the_exact_value_where_there_is_one():
    model = LinearGaussian.random(event_size=5, latent_dim=3)
    result = evaluate(model.vae(), model.draw(20), num_samples=10, decompose_kl=False, levels=256)
    assert result.exact.mean == pytest.approx(result.log_prob.mean, abs=1e-3)
    assert result.kl_per_dimension is None  # a full-covariance posterior
    assert result.kl_decomposition is None
    assert "log p(x), exact" in str(result)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": binary_images(0)}, "x is empty"),
        ({"x": binary_images(1)}, "x has 1 example, expected at least 2"),
        ({"y": np.zeros(3)}, r"y has shape \(3,\), expected \(4,\)"),
        ({"num_samples": 0}, "num_samples is an int of at least 1"),
        ({"ais_examples": -1}, "ais_examples is an int of at least 0"),
        ({"x": np.full([4, 4, 4, 1], 2.0)}, "values from 2 to 2"),
    ],
)
def test_evaluate_says_what_is_wrong(change, message):
    arguments = {"x": binary_images(4), **change}
    with pytest.raises(InputError, match=message):
        evaluate(small_vae(), **arguments)
