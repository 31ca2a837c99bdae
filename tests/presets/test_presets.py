"""Presets: whole models by name."""

import json
import random
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import vae_tf
from vae_tf import layers, presets, priors
from vae_tf.utils.errors import InputError

SMALL = {
    "mlp": {"hidden": (8, 5)},
    "conv": {"filters": (3, 4)},
    "conv-deep": {"filters": (3, 4), "blocks": 1},
}
EVENT = [7, 6, 2]
by_name = pytest.mark.parametrize("name", SMALL)


def images(n=8, event_shape=EVENT):
    return np.random.default_rng(0).integers(0, 2, (n, *event_shape)).astype("float32")


def weights(vae):
    return [w.numpy() for w in vae.trainable_weights]


def trained(vae, x, run_eagerly=False):
    vae.compile(jit_compile=False, steps_per_execution=1, run_eagerly=run_eagerly)
    vae.fit(x, batch_size=4, epochs=1, verbose=0)  # 2 steps
    assert all(np.isfinite(w).all() for w in weights(vae))
    return vae


def global_draws():
    return keras.random.normal([2]), np.random.rand(), random.random(), tf.random.normal([2])


def test_names_and_options():
    assert presets.names() == ["conv", "conv-deep", "mlp"]
    assert presets.options("mlp") == {"hidden": (500,), "activation": "tanh"}
    assert set(presets.options("conv")) == {"filters", "hidden", "full_size", "activation"}
    assert set(presets.options("conv-deep")) == {"filters", "blocks", "activation"}


@by_name
def test_a_preset_trains_and_comes_back_from_its_file(name, tmp_path):
    vae = presets.create(name, EVENT, 3, seed=1, **SMALL[name])
    assert isinstance(vae, vae_tf.VAE)
    assert (vae.event_shape, vae.latent_dim) == (tuple(EVENT), 3)
    x = images()
    before = weights(vae)
    trained(vae, x)
    assert any((a != b).any() for a, b in zip(before, weights(vae), strict=True))
    vae.save(tmp_path / "m.keras")
    copy = vae_tf.load(tmp_path / "m.keras")
    np.testing.assert_array_equal(copy.predict(x, verbose=0), vae.predict(x, verbose=0))


@pytest.mark.parametrize("likelihood", presets.LIKELIHOODS)
def test_every_likelihood_has_a_convolutional_decoder(likelihood):
    vae = presets.create("conv", EVENT, 3, likelihood=likelihood, **SMALL["conv"])
    assert vae.decoder.output_shape == (None, vae.likelihood.params_size)
    terms = vae.elbo(images(4), seed=0)
    assert np.isfinite(terms.elbo).all()


@pytest.mark.parametrize("posterior", presets.POSTERIORS)
@pytest.mark.parametrize("prior", presets.PRIORS)
def test_every_posterior_and_prior(posterior, prior):
    vae = presets.create("mlp", [5], 3, posterior=posterior, prior=prior, seed=1, hidden=4)
    assert np.isfinite(vae.elbo(images(4, [5]), seed=0).elbo).all()
    assert type(vae.prior).__name__.lower() in (prior.replace("_", ""), "vampprior")


def test_vamp_prior_takes_the_support_of_the_likelihood():
    vae = presets.create("mlp", [5], 3, prior="vamp", likelihood="poisson", hidden=4)
    assert vae.prior.support == (0.0, np.inf)


@by_name
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_other_precisions_train(name, policy):
    keras.config.set_dtype_policy(policy)
    vae = presets.create(name, EVENT, 3, seed=1, **SMALL[name])
    trained(vae, images(), run_eagerly=True)  # tracing is what would take long
    assert vae.sample(2, seed=0).dtype == ("float64" if policy == "float64" else "float32")


@by_name
@pytest.mark.parametrize("prior", ["gaussian_mixture", "vamp"])
def test_same_seed_same_weights(name, prior):
    def create(seed):
        return presets.create(name, EVENT, 3, prior=prior, seed=seed, **SMALL[name])

    a, b, c = create(1), create(1), create(2)
    for first, second in zip(weights(a), weights(b), strict=True):
        np.testing.assert_array_equal(first, second)
    drawn = [w for w in a.trainable_weights if w.name in ("kernel", "loc", "pseudo_inputs")]
    assert len(drawn) > 3
    for first, second in zip(a.trainable_weights, c.trainable_weights, strict=True):
        # All that is drawn differs between seeds, and between the layers of one network.
        assert (first.numpy() != second.numpy()).any() == (np.ptp(first) > 0)
    kernels = [w.numpy().ravel()[0] for w in drawn if np.ptp(w) > 0]
    assert len(set(kernels)) == len(kernels)


@pytest.mark.slow
def test_a_seed_is_the_same_in_another_process_and_leaves_the_globals_alone():
    script = (
        "import json, numpy as np\n"
        "from vae_tf import presets\n"
        "vae = presets.create('mlp', [5], 2, seed=7, hidden=4, prior='gaussian_mixture')\n"
        "print(json.dumps([w.numpy().ravel().tolist() for w in vae.trainable_weights]))"
    )
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    keras.utils.set_random_seed(3)
    expected = global_draws()
    keras.utils.set_random_seed(3)
    vae = presets.create("mlp", [5], 2, seed=7, hidden=4, prior="gaussian_mixture")
    for a, b in zip(expected, global_draws(), strict=True):
        np.testing.assert_array_equal(a, b)

    here = [w.ravel().tolist() for w in weights(vae)]
    assert json.loads(there.stdout) == here


def test_without_a_seed_models_differ():
    a, b = (presets.create("mlp", [5], 2, hidden=4) for _ in range(2))
    assert (weights(a)[0] != weights(b)[0]).any()


def test_layers_of_ones_own():
    likelihood = layers.Categorical(EVENT[:2], num_classes=3)
    posterior = layers.MultivariateNormalTriL(4)
    prior = priors.GaussianMixture(4, num_components=2)
    vae = presets.create(
        "conv", EVENT[:2], 4, likelihood=likelihood, posterior=posterior, prior=prior, filters=3
    )
    assert (vae.likelihood, vae.posterior, vae.prior) == (likelihood, posterior, prior)
    assert vae.sample(2, seed=0).shape == (2, 7, 6)


def test_functions_are_the_presets():
    a = presets.conv(EVENT, 3, seed=1, filters=(3, 4))
    b = presets.create("conv", EVENT, 3, seed=1, filters=(3, 4))
    np.testing.assert_array_equal(weights(a)[0], weights(b)[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "dense"}, "There is no preset 'dense'; give one of conv, conv-deep, mlp"),
        ({"likelihood": "gauss"}, "There is no likelihood 'gauss'; give one of bernoulli, "),
        ({"likelihood": 3}, "There is no likelihood 3; give one of .*or a layer"),
        ({"posterior": "x"}, "There is no posterior 'x'; give one of full_covariance, normal"),
        (
            {"prior": "x"},
            "There is no prior 'x'; give one of gaussian_mixture, standard_normal, vamp",
        ),
        (
            {"filter": 3},
            "Preset 'conv' has no option 'filter'; its own options are activation, fil",
        ),
        ({"latent_dim": 0}, "latent_dim is an int of at least 1; got 0"),
        ({"event_shape": [5]}, "needs images.*got \\[5\\].*preset 'mlp'"),
        ({"event_shape": "x"}, "An event shape is a list of ints"),
        ({"likelihood": layers.IndependentBernoulli([3])}, r"events have shape \(3,\)"),
        ({"posterior": layers.IndependentNormal(4)}, "latent_dim is 2; give both the same"),
        ({"prior": priors.StandardNormal(3)}, "2 latent dimensions and the prior 3"),
        ({"likelihood": layers.MixtureNormal(2, [4, 4, 1])}, "belong to the event as a whole"),
        ({"seed": "x"}, "seed is an int"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        presets.create(
            **{"name": "conv", "event_shape": [4, 4, 1], "latent_dim": 2, "filters": 2, **arguments}
        )


def test_options_of_an_unknown_preset():
    with pytest.raises(InputError, match="There is no preset 'x'"):
        presets.options("x")
