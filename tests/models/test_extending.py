import re
from pathlib import Path

import keras
import numpy as np
import pytest

import vae_tf
from tests.small_vae import binary_images, small_vae
from vae_tf import InputError

DOCS = Path(__file__).parents[2] / "docs" / "extending.md"


@pytest.fixture(scope="module")
def documented():
    """What the code of the page defines, run from top to bottom."""
    names: dict = {"__name__": "docs"}
    for block in re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(DOCS), "exec"), names)
    return names


def test_the_page_runs_and_its_models_are_saved(documented, tmp_path):
    x = documented["x"]
    logs = set(documented["history"].history)
    assert logs == {"elbo", "iwae_bound", "kl", "kl/z1", "kl/z2", "log_likelihood", "loss"}
    for name in ("ladder", "classified", "plain", "heavy"):
        model = documented[name]
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert type(loaded) is type(model)
        for mine, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, other)
        np.testing.assert_array_equal(
            loaded.log_prob(x[:3], 5, seed=1), model.log_prob(x[:3], 5, seed=1)
        )
        assert loaded.objective == model.objective
    kernel = documented["classified"].classifier.kernel
    assert np.any(kernel != keras.initializers.GlorotUniform(seed=0)(kernel.shape))


def test_a_further_layer_is_trained(documented):
    classified, x = documented["classified"], documented["x"]
    before = classified.classifier.get_weights()
    history = classified.fit(x, np.ones(len(x), int), epochs=20, verbose=0).history
    assert history["cross_entropy"][-1] < 0.9 * history["cross_entropy"][0]
    assert np.any(before[1] != classified.classifier.get_weights()[1])
    with pytest.raises(InputError, match="The training data has no label"):
        classified.fit(x, verbose=0)


def test_an_objective_that_does_not_give_the_kl_of_each_latent(documented):
    ladder = documented["ladder"]
    ladder.compile("adam", documented["PowerELBO"](1.0))
    logs = ladder.fit(documented["x"], verbose=0).history
    assert set(logs) == {"elbo", "kl", "log_likelihood", "loss"}


def test_a_layer_without_weights_is_refused():
    class Unbuilt(vae_tf.VAE):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.head = keras.layers.Dense(2, name="head")

    vae = small_vae()
    model = Unbuilt(vae.encoder, vae.posterior, vae.decoder, vae.likelihood)
    with pytest.raises(InputError, match=r"'head' of Unbuilt has no weights yet.*head\.build"):
        model.compile("adam")
    model.head.build((None, 3))
    model.compile("adam")


def test_an_objective_of_version_0_1():
    class Old(vae_tf.objectives.Objective):
        def __call__(self, model, x, *, step, seed, training=False):
            assert x.shape[1:] == (4, 4, 1)
            terms = model.elbo(x, seed=seed)
            return vae_tf.objectives.ObjectiveTerms(-terms.elbo, terms, {})

        def get_config(self):
            return {}

    vae = small_vae()
    vae.compile("adam", Old(), jit_compile=False)
    history = vae.fit(binary_images(64), epochs=2, verbose=0).history
    np.testing.assert_allclose(history["loss"], np.negative(history["elbo"]), rtol=1e-6)
