import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.harness import check_determinism
from tests.small_vae import EVENT_SHAPE, binary_images, small_vae
from vae_tf import attribution, presets
from vae_tf.utils.errors import InputError


@pytest.fixture(scope="module")
def two_pixels():
    """E_q[z_1] is the first pixel, E_q[z_2] minus three times the last."""
    kernel = np.zeros((16, 4), "float32")
    kernel[0, 0], kernel[15, 1] = 1, -3
    dense = keras.layers.Dense(4)
    encoder = keras.Sequential([keras.Input(EVENT_SHAPE), keras.layers.Flatten(), dense])
    dense.set_weights([kernel, np.zeros(4, "float32")])
    return small_vae(latent_dim=2, encoder=encoder)


@pytest.fixture(scope="module")
def conv():
    return presets.conv((12, 12, 1), 2, filters=(4, 8), seed=3)


def test_the_functional_model_gives_the_posterior_mean(conv):
    x = np.random.default_rng(0).uniform(size=(3, 12, 12, 1)).astype("float32")
    np.testing.assert_allclose(
        attribution.latent_means(conv)([x]), conv.encode(x).mean(), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("smooth_samples", [0, 5])
def test_saliency_is_where_the_latent_reads(two_pixels, smooth_samples):
    maps = attribution.saliency(two_pixels, binary_images(3), smooth_samples=smooth_samples)
    expected = np.zeros((2, 3, 4, 4))
    expected[0, :, 0, 0] = expected[1, :, 3, 3] = 1
    np.testing.assert_allclose(maps, expected, atol=1e-6)


def test_smoothed_saliency_is_a_function_of_its_seed(conv):
    x = np.random.default_rng(0).uniform(size=(2, 12, 12, 1)).astype("float32")
    check_determinism(
        lambda seed: attribution.saliency(
            conv, x, [1], smooth_samples=2, seed=seed if isinstance(seed, int) else 9
        )
    )


def test_grad_cam_is_where_the_latent_reads():
    """One convolution that keeps the image, and a latent that sums the left half of it."""
    convolution = keras.layers.Conv2D(1, 1, use_bias=False)
    dense = keras.layers.Dense(2, use_bias=False)
    encoder = keras.Sequential([keras.Input((8, 8, 1)), convolution, keras.layers.Flatten(), dense])
    convolution.set_weights([np.ones((1, 1, 1, 1), "float32")])
    weights = np.zeros((8, 8, 2), "float32")
    weights[:, :4, 0] = 0.05
    dense.set_weights([weights.reshape(64, 2)])
    vae = presets.mlp((8, 8, 1), 1, seed=0)
    vae = type(vae)(encoder, vae.posterior, vae.decoder, vae.likelihood)
    x = np.zeros((2, 8, 8, 1), "float32")
    x[0, 2, 1] = x[0, 6, 6] = 1
    x[1, :, :4] = 1
    maps = attribution.grad_cam(vae, x)
    assert maps.shape == (1, 2, 8, 8)
    # Grad-CAM weighs channels, not places: of one channel it shows where that channel is on.
    np.testing.assert_allclose(maps[0], x[..., 0], atol=1e-6)


def test_grad_cam_of_a_preset(conv):
    x = np.random.default_rng(0).uniform(size=(3, 12, 12, 1)).astype("float32")
    maps = attribution.grad_cam(conv, x)
    assert maps.shape == (2, 3, 12, 12)
    assert maps.min() >= 0
    assert maps.max() == 1
    first = attribution.grad_cam(conv, x, [0], layer="conv_1")
    assert first.shape == (1, 3, 12, 12)
    assert np.any(first != maps[:1])


def test_activation_maximisation_turns_on_what_raises_the_latent(two_pixels):
    images = attribution.activation_maximization(two_pixels, steps=60, smoothness=0.0)
    assert images.shape == (2, *EVENT_SHAPE)
    assert images[0, 0, 0, 0] == pytest.approx(1, abs=0.01)
    assert images[1, 3, 3, 0] == pytest.approx(0, abs=0.01)
    assert images.min() >= 0
    assert images.max() <= 1


def test_activation_maximisation_stays_within_the_support():
    seen = []

    class Watch(keras.layers.Layer):
        def call(self, x):
            if tf.is_tensor(x) and tf.executing_eagerly():
                seen.append(x.numpy())
            return x

    encoder = keras.Sequential(
        [keras.Input(EVENT_SHAPE), Watch(), keras.layers.Flatten(), keras.layers.Dense(4)]
    )
    attribution.activation_maximization(small_vae(latent_dim=2, encoder=encoder), steps=40)
    seen = np.stack(seen[-40:])
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert seen.max() > 0.99


def test_without_tf_keras_vis(two_pixels, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "tf_keras_vis"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tf_keras_vis", None)
    with pytest.raises(InputError, match=r"pip install 'vae-tf\[vis\]'"):
        attribution.saliency(two_pixels, binary_images(2))


def test_bad_input(two_pixels, conv):
    x = np.zeros((1, 12, 12, 1), "float32")
    with pytest.raises(InputError, match=r"has none; use `saliency`"):
        attribution.grad_cam(two_pixels, binary_images(2))
    with pytest.raises(InputError, match=r"named 'first'; choose one of conv_1"):
        attribution.grad_cam(conv, x, layer="first")
    with pytest.raises(InputError, match="from 0 to 1"):
        attribution.saliency(conv, x, [2])
    with pytest.raises(InputError, match="expected"):
        attribution.saliency(conv, x[0])
    with pytest.raises(InputError, match="need images"):
        attribution.saliency(presets.mlp(5, 2), np.zeros((1, 5), "float32"))

    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(4)

        def call(self, x):
            return self.dense(keras.ops.reshape(x, [-1, 16]))

    with pytest.raises(InputError, match="functional or sequential"):
        attribution.latent_means(small_vae(latent_dim=2, encoder=Subclassed()))
