import numpy as np
import pytest

from tests.model_harness import check_model, with_dtype
from tests.models.examples import (
    conditional,
    discrete,
    enumerated_labels,
    two_layers,
    without_closed_form,
)
from vae_tf import InputError
from vae_tf.evaluation import (
    annealed_importance_sampling,
    evaluate,
    hmc_marginal_likelihood,
    importance_weighted_bound,
)
from vae_tf.explore import codes
from vae_tf.inference import Batch
from vae_tf.objectives import ELBO, IWAE
from vae_tf.utils.seeds import as_seed


def test_two_layers(tmp_path):
    exact = two_layers.MARGINAL.logpdf
    check_model(lambda: two_layers.two_layers(0.2), two_layers.data, tmp_path, exact=exact)


@pytest.mark.slow
@pytest.mark.parametrize("objective", [IWAE(3), IWAE(3, doubly_reparameterised=True)], ids=repr)
def test_two_layers_importance_weighted(objective, tmp_path):
    check_model(
        lambda: two_layers.two_layers(0.2),
        two_layers.data,
        tmp_path,
        objective=objective,
        smooth=not objective.doubly_reparameterised,
    )


def test_a_posterior_without_closed_form(tmp_path):
    example = without_closed_form
    check_model(example.without_closed_form, example.data, tmp_path, exact=example.exact)


def test_codes_and_figures_without_closed_form():
    model, x = without_closed_form.without_closed_form(), without_closed_form.data(20)
    x = x.astype("float32")
    found = codes(model, x)
    np.testing.assert_allclose(found, model.moments(x)["z"].mean, rtol=1e-4, atol=1e-5)
    draws = model.infer(Batch(x), 4000, seed=as_seed(3)).z["z"]
    np.testing.assert_allclose(found, np.mean(draws, axis=0), atol=0.3)
    evaluation = evaluate(model, x, num_samples=10)
    assert evaluation.aggregated_posterior.mean.shape == (2,)
    assert len(evaluation.active_units.variances) == 2


def test_two_conditions_and_a_learned_prior(tmp_path):
    check_model(conditional.conditional, conditional.data, tmp_path, exact=conditional.exact)


def test_a_discrete_latent_with_a_penalty(tmp_path):
    check_model(
        discrete.discrete,
        discrete.data,
        tmp_path,
        exact=discrete.exact,
        discrete=("posterior", "prior"),
        smooth=False,
    )


def test_enumerated_labels(tmp_path):
    example = enumerated_labels
    check_model(
        example.enumerated_labels,
        example.data,
        tmp_path,
        objective=example.LabelledELBO(),
        exact=example.exact,
        discrete=("prior",),
    )


def test_every_estimator_gives_log_p_x_of_two_layers():
    x, model = two_layers.data(6), with_dtype("float64", two_layers.two_layers)
    exact = two_layers.MARGINAL.logpdf(x)
    # With the exact posteriors log p(x, z) - log q(z|x) is log p(x) at every z.
    np.testing.assert_allclose(model.log_prob(x, 2, seed=1), exact, atol=1e-4)
    for objective in (
        ELBO(kl="monte_carlo"),
        IWAE(3),
        IWAE(3, doubly_reparameterised=True),
    ):
        loss = objective(model, model._as_batch(x), step=0, seed=as_seed(5), training=True).loss
        np.testing.assert_allclose(-loss, exact, atol=1e-4)
    off = with_dtype("float64", lambda: two_layers.two_layers(0.2))
    for estimate in (
        importance_weighted_bound(off, x, 20_000),
        annealed_importance_sampling(off, x, 300, 32),
        hmc_marginal_likelihood(off, x, 400, 16),
    ):
        np.testing.assert_allclose(estimate.values, exact, atol=0.15, err_msg=estimate.method)
    found = evaluate(off, two_layers.data(50), num_samples=2000, ais_examples=2, hmc_examples=2)
    expected = two_layers.MARGINAL.logpdf(two_layers.data(50)).mean()
    assert found.log_prob.mean == pytest.approx(expected, abs=0.02)
    assert found.latent_dim == 5
    assert found.rate_distortion.elbo < found.log_prob.mean


def test_what_a_model_lacks_is_said():
    model = conditional.conditional()
    x = conditional.data(4)["x"]
    with pytest.raises(InputError, match="The model takes a condition and got x alone"):
        model.log_prob(x)
    model.compile("adam")
    with pytest.raises(InputError, match="The training data has no condition"):
        model.fit(x, verbose=0)
    other = discrete.discrete()
    with pytest.raises(InputError, match="moves continuous latents, and 'y'"):
        hmc_marginal_likelihood(enumerated_labels.enumerated_labels(), conditional.data(4)["x"])
    assert other.moments(discrete.data(3))["z"].mean.shape == (3, 3)
