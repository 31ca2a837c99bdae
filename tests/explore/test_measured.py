import keras
import numpy as np
import pytest

from tests.harness import check_determinism
from tests.small_vae import binary_images, small_vae
from vae_tf import VAE, explore
from vae_tf.layers import IndependentNormal
from vae_tf.utils.errors import InputError


def linear_vae(latent_dim=4, size=6, seed=0):
    """x = W z + noise; the encoder does not matter."""
    weights = np.random.default_rng(seed).normal(size=(latent_dim, size)).astype("float32")
    kernel = np.concatenate([weights, np.zeros_like(weights)], axis=1)
    decoder = keras.Sequential([keras.Input((latent_dim,)), keras.layers.Dense(2 * size)])
    decoder.layers[0].set_weights([kernel, np.zeros(2 * size, "float32")])
    encoder = keras.Sequential([keras.Input((size,)), keras.layers.Dense(2 * latent_dim)])
    vae = VAE(encoder, IndependentNormal([latent_dim]), decoder, IndependentNormal([size]))
    return vae, weights


def test_optimisation_finds_a_known_optimum_that_random_search_misses():
    vae, weights = linear_vae()
    best_z = np.array([1.0, -0.8, 0.5, -1.2], "float32")
    calls = []

    def score(x):
        calls.append(len(x))
        return -np.square(x - best_z @ weights).sum(axis=1)

    for seed in (1, 2, 3):
        calls.clear()
        found = explore.optimize(vae, score, steps=30, initial=10, seed=seed)
        assert sum(calls) == 40
        assert found.score == found.scores.max()
        assert found.score == pytest.approx(score(found.x[None])[0], abs=1e-4)
        by_chance = score(vae.sample(40, seed=100 + seed).numpy()).max()
        assert found.score > 0.1 * by_chance  # both negative: a tenth of the distance left
        assert np.linalg.norm(found.z - best_z) < 0.5


def test_optimisation_repeats():
    vae, _ = linear_vae(2)
    check_determinism(
        lambda seed: explore.optimize(vae, lambda x: -np.abs(x).sum(1), 2, 3, seed).latents
    )


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda x: 1.0, r"shape \(\)"),
        (lambda x: np.full(len(x), np.nan), "finite number for every example"),
        (lambda x: ["good"] * len(x), "dtype"),
    ],
)
def test_a_bad_score(score, message):
    with pytest.raises(InputError, match=message):
        explore.optimize(linear_vae()[0], score, 1, 2)


@pytest.fixture(scope="module")
def trained():
    vae = small_vae(latent_dim=4)
    vae.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    vae.fit(binary_images(2000), batch_size=50, epochs=15, verbose=0)
    return vae


def test_denoising_brings_noisy_images_nearer_to_the_clean_ones(trained):
    clean = binary_images(200, seed=1)
    noise = np.random.default_rng(2).normal(0, 0.3, clean.shape)
    noisy = np.clip(clean + noise, 0, 1).astype("float32")
    found = explore.denoise(trained, noisy, clean)
    assert found.mse_before == pytest.approx(np.mean((noisy - clean) ** 2), rel=1e-5)
    assert found.mse_after == pytest.approx(np.mean((found.x - clean) ** 2), rel=1e-5)
    assert found.psnr_before == pytest.approx(-10 * np.log10(found.mse_before))
    assert found.gain > 3  # dB
    assert explore.denoise(trained, noisy).gain is None


def test_compression_says_what_the_codes_cost(trained):
    x = binary_images(200, seed=3)
    found = explore.compress(trained, x, bits_per_value=1)
    # Each of four rows is on or off: no code is shorter than four bits, raw are sixteen.
    assert found.raw_bits == 16
    assert 3.5 < found.bits.mean() < 16
    np.testing.assert_allclose(found.rate, trained.elbo(x, seed=0).kl, rtol=1e-5)
    np.testing.assert_allclose(found.bits, found.rate / np.log(2))
    assert found.ratio == pytest.approx(16 / found.bits.mean())
    assert found.mse < 0.02
    check_determinism(lambda seed: explore.compress(trained, x[:3], seed=seed).x)


def test_bad_measurements(trained):
    x = binary_images(3)
    with pytest.raises(InputError, match="one shape"):
        explore.denoise(trained, x, x[:2])
    with pytest.raises(InputError, match="peak"):
        explore.denoise(trained, x, x, peak=0)
    with pytest.raises(InputError, match="values from"):
        explore.denoise(trained, x - 0.5)
    with pytest.raises(InputError, match="bits_per_value"):
        explore.compress(trained, x, 0)
