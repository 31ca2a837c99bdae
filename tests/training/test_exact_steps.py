"""The steps that are asked for are the steps that are made."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.small_vae import binary_images, small_vae

X = binary_images(70)
BATCHES = 10


def repeated():
    return tf.data.Dataset.from_tensor_slices(X).batch(7).repeat()


def generator():
    while True:
        yield (X[:7],)


class Sequence(keras.utils.PyDataset):
    def __len__(self):
        return 1000

    def __getitem__(self, index):
        return (X[:7],)


@pytest.mark.parametrize("data", [repeated, generator, Sequence], ids=lambda data: data.__name__)
@pytest.mark.parametrize(
    "compiled",
    [{}, {"steps_per_execution": 3, "jit_compile": False}],
    ids=["default", "three an execution"],
)
def test_fit_and_evaluate_make_the_steps_asked_for(data, compiled):
    vae, seen, ends = small_vae(), [], []
    vae.compile(**compiled)
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ends.append(batch),
        on_test_end=lambda logs: seen.append(int(vae._elbo_metrics.batches)),
    )
    vae.fit(
        data(),
        steps_per_epoch=20,
        epochs=2,
        validation_data=data(),
        validation_steps=4,
        callbacks=[callback],
        verbose=0,
    )
    assert int(vae.step) == int(vae.optimizer.iterations) == 40
    assert seen == [4, 4]
    assert ends[-1] == 19
    vae.evaluate(data(), steps=2, verbose=0)
    assert int(vae._elbo_metrics.batches) == 2


@pytest.mark.parametrize("steps", [2, 5, 10])
def test_predict_takes_the_steps_asked_for(steps):
    vae = small_vae()
    vae.compile(jit_compile=False)
    expected = vae.predict(X, batch_size=7, verbose=0)
    assert len(expected) == 70
    for data, batch_size in ((X, 7), (repeated(), None), (generator(), None), (Sequence(), None)):
        found = vae.predict(data, batch_size=batch_size, steps=steps, verbose=0)
        assert len(found) == 7 * steps
    np.testing.assert_allclose(
        vae.predict(repeated(), steps=steps, verbose=0), expected[: 7 * steps], atol=1e-6
    )
    assert vae.steps_per_execution == 16


def test_an_epoch_goes_on_where_the_last_one_stopped():
    """Finite data are read to their end, and counted by the batches that were taken."""
    numbers = tf.data.Dataset.range(BATCHES).map(lambda i: tf.fill([2, 4, 4, 1], i / BATCHES))
    seen = []

    class Seeing(type(small_vae())):
        def train_step(self, data):
            seen.append(round(float(data[0, 0, 0, 0]) * BATCHES))
            return super().train_step(data)

    parts = small_vae()
    vae = Seeing(parts.encoder, parts.posterior, parts.decoder, parts.likelihood)
    vae.compile(run_eagerly=True, steps_per_execution=4)
    vae.fit(numbers.map(lambda x: tf.cast(x, tf.float32)), steps_per_epoch=5, epochs=4, verbose=0)
    assert seen == 2 * list(range(BATCHES))
