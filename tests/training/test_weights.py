"""Weights of examples."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tests.small_vae import binary_images, small_vae
from vae_tf.inference import Batch
from vae_tf.layers import IndependentNormal
from vae_tf.objectives import ELBO, IWAE

X = binary_images()


@pytest.mark.parametrize("objective", [ELBO(free_bits=0.5), IWAE(3, True)], ids=repr)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_what_weighs_nothing_trains_nothing(objective, jit_compile):
    """Whatever the examples of weight 0 are, under batch statistics too."""

    def trained(left_out):
        dense = keras.layers.Dense(32, kernel_initializer=keras.initializers.GlorotUniform(seed=1))
        decoder = keras.Sequential([keras.Input((3,)), dense])
        vae = small_vae(likelihood=IndependentNormal((4, 4, 1)), decoder=decoder)
        vae.compile(keras.optimizers.SGD(0.001), objective, jit_compile=jit_compile)
        x, weight = np.r_[X[:40], left_out], np.r_[np.full(40, 2.0), np.zeros(40)]
        fit = {"batch_size": 80, "epochs": 3, "shuffle": False, "verbose": 0}
        loss = vae.fit(x, sample_weight=weight, **fit).history["loss"]
        return loss, vae.get_weights()

    (loss, weights), (expected, others) = trained(np.full_like(X[:40], 200.0)), trained(X[:40])
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    for a, b in zip(weights, others, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_floor_of_free_bits_is_on_the_weighted_mean():
    vae, weight = small_vae(), np.linspace(0, 2, 200, dtype="float32")
    batch, arguments = Batch(X, weight=weight), {"step": 0, "seed": tf.constant([1, 2])}
    trace = vae.infer(batch, seed=tf.constant([1, 2]))
    kl = tfd.kl_divergence(trace.latents["z"].q.distribution, vae.p_z().distribution)
    mean = np.average(kl, axis=0, weights=weight)
    floor = float(np.sort(mean)[1])  # of three dimensions
    found = ELBO(free_bits=floor).call(vae, batch, **arguments)
    expected = np.maximum(mean, floor).sum()
    np.testing.assert_allclose(found.loss + found.terms.log_likelihood, expected, rtol=1e-5)
    nobody = ELBO(free_bits=floor).call(vae, batch._replace(weight=0 * weight), **arguments)
    assert np.isfinite(nobody.loss).all()
