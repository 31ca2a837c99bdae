import functools

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.small_vae import binary_images, small_vae
from vae_tf import VAE, baselines, pictures
from vae_tf.presets import mlp
from vae_tf.utils.errors import InputError


def test_shares_are_five_percent_for_codes_like_the_prior_and_grow_with_gaps():
    rng = np.random.default_rng(0)
    prior, reference, like = (rng.normal(size=(4000, 2)) for _ in range(3))
    gaps, outside = baselines.gap_shares(like, prior, reference)
    assert gaps == pytest.approx(0.05, abs=0.015)
    assert outside == pytest.approx(0.05, abs=0.015)
    half = np.abs(like) * [1, 0] + like * [0, 1]  # nothing left of 0: about half of the prior
    gaps, outside = baselines.gap_shares(half, prior, reference)
    assert gaps == pytest.approx(0.5, abs=0.06)
    assert outside < 0.08
    gaps, outside = baselines.gap_shares(like + 100, prior, reference)
    assert (gaps, outside) == (1, 1)


def test_only_the_kl_is_minimised():
    vae = small_vae()
    vae.compile(keras.optimizers.Adam(1e-2), baselines.KLOnly(), jit_compile=False)
    before = vae.decoder.get_weights()
    history = vae.fit(binary_images(), epochs=20, verbose=0).history
    np.testing.assert_allclose(history["loss"], history["kl"], rtol=1e-5)
    assert history["kl"][-1] < 0.02
    for old, new in zip(before, vae.decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    again = baselines.KLOnly.from_config(baselines.KLOnly().get_config())
    assert again == baselines.KLOnly()


@pytest.fixture(scope="module")
def panels():
    x = load_digits().images[:400, ..., None].astype("float32") / 16
    build = lambda: mlp(x.shape[1:], 2, hidden=64, activation="relu", seed=1)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:  # compiling takes longer than these trainings
        patch.setattr(VAE, "compile", functools.partialmethod(VAE.compile, jit_compile=False))
        return baselines.three_panels(x, build=build, epochs=40, learning_rate=3e-3)


def test_the_lesson_holds_in_numbers(panels):
    autoencoder, kl_only, vae = panels
    assert [p.name for p in panels] == ["autoencoder", "KL only", "VAE"]
    # Reconstruction alone: best at it, with codes all over the place.
    assert autoencoder.log_likelihood > vae.log_likelihood > kl_only.log_likelihood
    assert autoencoder.gaps > 0.5
    assert autoencoder.outside > 0.3
    assert autoencoder.kl > 2 * vae.kl
    # The KL alone: no gaps, and nothing said.
    assert kl_only.active_units == 0
    assert kl_only.mutual_information < 0.05
    assert kl_only.gaps < 0.1
    # Both.
    assert vae.gaps < 0.25
    assert vae.active_units == 2
    assert vae.mutual_information > 0.8


def test_the_picture_of_it(panels):
    labels = load_digits().target[:400]
    figure = pictures.three_panels(
        {p.name: p.z for p in panels}, labels, notes={p.name: p.note for p in panels}
    )
    assert [axes.get_title() for axes in figure.axes] == ["autoencoder", "KL only", "VAE"]
    assert "active units 0" in figure.axes[1].get_xlabel()
    assert len(figure.legends[0].get_texts()) == 11


def test_too_few_examples():
    with pytest.raises(InputError, match="at least 3"):
        baselines.three_panels(binary_images(2))
