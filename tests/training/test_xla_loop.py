"""Training whose loop over steps is XLA's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.small_vae import binary_images, small_vae
from vae_tf import VAE
from vae_tf.training import xla_loop
from vae_tf.training.xla_loop import can_be_looped

X = binary_images(180)
WEIGHTS = np.linspace(0.0, 2.0, 180, dtype="float32")
SIZES = (40, 40, 10, 40, 40, 10)  # of the batches


def batches():
    ends = np.cumsum(SIZES)
    parts = [np.split(a, ends[:-1]) for a in (X, np.arange(180), WEIGHTS)]

    def each():
        yield from zip(*parts, strict=True)

    signature = (
        tf.TensorSpec([None, 4, 4, 1]),
        tf.TensorSpec([None], tf.int64),
        tf.TensorSpec([None]),
    )
    dataset = tf.data.Dataset.from_generator(each, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(SIZES)))


def trained(**arguments) -> tuple[VAE, list]:
    """A model after two epochs, and what its callbacks have seen."""
    vae, seen = small_vae(), []
    vae.compile(keras.optimizers.Adam(0.01), **arguments)
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs)
    )
    vae.fit(batches(), epochs=2, verbose=0, callbacks=[callback])
    return vae, seen


@pytest.fixture(scope="module")
def single():
    return trained(steps_per_execution=1, jit_compile=False)


@pytest.mark.parametrize(("steps", "together"), [(3, 16), (20, 4)])
def test_the_steps_are_those_of_single_executions(steps, together, single, monkeypatch):
    monkeypatch.setattr(xla_loop, "_TOGETHER", together)
    one_by_one, alone = single
    looped, seen = trained(steps_per_execution=steps, jit_compile=True)
    assert looped.step == one_by_one.step == 2 * len(SIZES)
    for a, b in zip(looped.trainable_weights, one_by_one.trainable_weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=2e-5)
    ends = sorted({*range(steps - 1, len(SIZES), steps), len(SIZES) - 1})
    assert len(seen) == 2 * len(ends)
    assert set(seen[0]) == set(alone[0])
    for name, value in alone[ends[0]].items():
        assert seen[0][name] == pytest.approx(float(value), rel=1e-4)


class Clipped(VAE):
    def train_step(self, data):
        return {**super().train_step(data), "mine": tf.constant(7.0)}


def test_a_train_step_of_the_users_keeps_its_logs():
    vae = small_vae()
    own = Clipped(vae.encoder, vae.posterior, vae.decoder, vae.likelihood)
    own.compile(steps_per_execution=4, jit_compile=True)
    history = own.fit(X, batch_size=50, verbose=0)
    assert history.history["mine"] == [7.0]


def test_only_dense_tensors_are_looped_over():
    dense = tf.data.Dataset.from_tensor_slices(X).batch(10)
    ragged = tf.data.Dataset.from_tensor_slices(tf.ragged.constant([[1.0], [1.0, 2.0]]))
    assert can_be_looped(iter(dense))
    assert not can_be_looped(iter(ragged))
    assert not can_be_looped(iter([X]))
