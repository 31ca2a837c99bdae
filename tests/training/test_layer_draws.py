"""Dropout and its like draw what the seed and the step say."""

import keras
import numpy as np
import pytest

import vae_tf
from tests.small_vae import EVENT_SHAPE, binary_images, small_vae
from vae_tf.layers import IndependentNormal

X = binary_images(64)


def noisy(**compiled):
    """A model whose encoder draws in three ways, and whose initial weights are seeded."""

    def dense(units, seed):
        return keras.layers.Dense(units, kernel_initializer=keras.initializers.GlorotUniform(seed))

    layers = [
        keras.Input(EVENT_SHAPE),
        keras.layers.GaussianNoise(0.3),
        keras.layers.Flatten(),
        dense(16, 1),
        IndependentNormal([8]),
        keras.layers.Dropout(0.5),
        dense(6, 2),
    ]
    vae = small_vae(encoder=keras.Sequential(layers))
    vae.compile(keras.optimizers.Adam(0.01), **compiled)
    return vae


FIT = {"batch_size": 16, "shuffle": False, "verbose": 0}


@pytest.mark.parametrize(
    "compiled", [{"jit_compile": True}, {"jit_compile": False, "steps_per_execution": 1}], ids=str
)
def test_a_resumed_training_draws_what_the_whole_one_would(compiled, tmp_path):
    whole, half = noisy(**compiled), noisy(**compiled)
    whole.fit(X, epochs=3, **FIT)
    half.fit(X, epochs=1, **FIT)
    half.save(tmp_path / "half.keras")
    resumed = vae_tf.load(tmp_path / "half.keras")
    resumed.fit(X, epochs=2, **FIT)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    first = whole.evaluate(X, verbose=0, return_dict=True)
    assert whole.evaluate(X, verbose=0, return_dict=True) == first


def test_each_step_draws_anew():
    vae, masks = noisy(run_eagerly=True), []
    dropout = vae.encoder.layers[-2]
    generators = [
        layer._seed_generators[0] for layer in vae.encoder.layers if layer._seed_generators
    ]
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: masks.append(
            [tuple(g.state.numpy()) for g in generators]
        )
    )
    vae.compile(run_eagerly=True, steps_per_execution=1)
    vae.fit(X, callbacks=[callback], **FIT)
    states = [state for step in masks for state in step]
    assert dropout.seed_generator in generators
    assert len(set(states)) == len(states) == 4 * 3
