"""Order, epochs, draws: what training and resuming rely on."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from vae_tf import data
from vae_tf.utils.errors import InputError


def passes(dataset, n=1):
    """Each pass as one array of all its batches."""
    return [np.concatenate([x.numpy() for x in dataset]) for _ in range(n)]


def numbered(n=50, **options):
    """Examples that carry their own index, with a labelled test split."""
    x = np.arange(n, dtype=np.float32)[:, None]
    return data.from_arrays(x, x[:5], batch_size=8, **options)


def grey(n=40, side=4):
    return np.random.default_rng(0).integers(0, 256, (n, side, side), np.uint8)


def test_every_example_once_an_epoch_in_another_order():
    d = numbered()
    first, second = passes(d.train, 2)
    assert sorted(first.ravel()) == sorted(second.ravel()) == list(range(50))
    assert (first != second).any()
    assert (passes(d.test)[0].ravel() == np.arange(5)).all()


def test_same_seed_same_batches_other_seed_others():
    one, same, other = (passes(numbered(seed=s).train)[0] for s in (3, 3, 4))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize("binarize", [None, "dynamic"])
def test_first_epoch_continues_where_another_run_stopped(binarize):
    x = grey()
    options = {"batch_size": 16, "seed": 7, "binarize": binarize}
    whole = passes(data.from_arrays(x, x, **options).train, 5)
    rest = data.from_arrays(x, x, first_epoch=3, **options)
    assert rest.epoch == 3
    np.testing.assert_array_equal(passes(rest.train, 2), whole[3:])


def test_labels_stay_with_their_examples():
    x, y = np.arange(30, dtype=np.float32)[:, None], np.arange(30) % 3
    d = data.from_arrays(x, y_train=y, batch_size=7)
    for images, labels in [*d.train, *d.test]:
        np.testing.assert_array_equal(images.numpy()[:, 0] % 3, labels.numpy())
    assert d.num_classes == 3
    assert (d.num_train, d.num_test) == (27, 3)


def test_specs_bytes_and_cardinality():
    x = grey(20)
    d = data.from_arrays(x, x, y_train=np.zeros(20), y_test=np.zeros(20), batch_size=8)
    assert d.train.element_spec == (
        tf.TensorSpec([None, 4, 4, 1], tf.float32),
        tf.TensorSpec([None], tf.int64),
    )
    assert int(d.train.cardinality()) == int(d.test.cardinality()) == 3
    assert (d.event_shape, d.value_range, d.eight_bit) == ((4, 4, 1), (0.0, 1.0), True)
    np.testing.assert_array_equal(data.head(d.test, 20)[0][..., 0], x / np.float32(255))
    dropped = data.from_arrays(x, x, batch_size=8, drop_remainder=True)
    assert [len(b) for b in dropped.train] == [8, 8]
    assert dropped.train.element_spec.shape == (8, 4, 4, 1)


@settings(max_examples=15, deadline=None)
@given(n=st.integers(2, 40), batch_size=st.integers(1, 50), seed=st.integers(-5, 2**62))
def test_any_size_and_batch_size(n, batch_size, seed):
    x = np.arange(n, dtype=np.float32)[:, None]
    d = data.from_arrays(x, x, batch_size=batch_size, seed=seed)
    batches = [b.numpy().ravel() for b in d.train]
    assert len(batches) == int(d.train.cardinality())
    assert sorted(np.concatenate(batches)) == list(range(n))
    assert all(len(b) == batch_size for b in batches[:-1])


def test_head_does_not_use_up_an_epoch():
    d = numbered()
    x, y = data.head(d.train, 11)
    assert y is None
    assert d.epoch == 0
    np.testing.assert_array_equal(x, passes(d.train)[0][:11])
    assert len(data.head(d.test, 99)[0]) == 5


def test_threshold_is_exact():
    x = np.array([[0.0, 0.49999], [0.5, 1.0]], np.float32)
    d = data.from_arrays(x, x, binarize="threshold")
    np.testing.assert_array_equal(data.head(d.test, 2)[0], [[0, 0], [1, 1]])
    bytes_ = np.array([[127, 128, 0, 255]], np.uint8)
    d = data.from_arrays(bytes_, bytes_, binarize="threshold")
    np.testing.assert_array_equal(data.head(d.test, 1)[0], [[0, 1, 0, 1]])


def test_static_draws_are_the_same_in_every_epoch_and_a_function_of_the_seed():
    x, y = grey(300), np.arange(300)
    options = {"y_train": y, "y_test": y, "binarize": "static"}

    def by_example(d):
        images, labels = next(iter(d.train.unbatch().batch(300)))
        return images.numpy()[np.argsort(labels)]

    d = data.from_arrays(x, x, **options)
    once, again = by_example(d), by_example(d)
    np.testing.assert_array_equal(once, again)
    assert set(np.unique(once)) == {0, 1}
    assert (once != by_example(data.from_arrays(x, x, seed=1, **options))).any()
    assert (once != data.head(d.test, 300)[0]).any()  # the splits have draws of their own
    # Example i does not depend on how many come after it.
    short = {"y_train": y[:270], "y_test": y, "binarize": "static"}
    images, labels = next(iter(data.from_arrays(x[:270], x, **short).train.unbatch().batch(270)))
    np.testing.assert_array_equal(images.numpy()[np.argsort(labels)], once[:270])


def test_dynamic_draws_average_to_the_pixels_and_the_test_split_is_fixed():
    x = np.tile(grey(1, 8), (100, 1, 1))
    d = data.from_arrays(x, x, batch_size=32, binarize="dynamic")
    draws = np.concatenate(passes(d.train, 30))
    assert set(np.unique(draws)) == {0, 1}
    # 3000 draws: a standard error of at most 0.0092.
    np.testing.assert_allclose(draws.mean(axis=0)[..., 0], x[0] / 255, atol=0.045)
    first, second = passes(d.test, 2)
    np.testing.assert_array_equal(first, second)
    assert d.value_range == (0.0, 1.0)
    assert not d.eight_bit


@pytest.mark.parametrize("binarize", ["static", "dynamic"])
def test_binarised_test_split_is_the_same_for_every_seed(binarize):
    x = grey(300)
    zero, nine = (data.from_arrays(x, x, binarize=binarize, seed=seed) for seed in (0, 9))
    np.testing.assert_array_equal(passes(zero.test)[0], passes(nine.test)[0])
    assert (passes(zero.train)[0] != passes(nine.train)[0]).any()


def noisy(seed=0, **options):
    x = grey(300, 4)
    x[0] = np.arange(240, 256).reshape(4, 4)
    return x, data.from_arrays(x, x, seed=seed, dequantize=True, batch_size=64, **options)


def test_dequantised_pixels_are_a_level_and_noise_within_it():
    x, d = noisy()
    test = passes(d.test)[0][..., 0]
    np.testing.assert_array_equal(np.floor(test.astype(np.float64) * 256), x)
    assert 0 < test.min() < test.max() < 1
    noise = test * 256 - x  # 4800 draws: a standard error of 0.0042
    assert abs(noise.mean() - 0.5) < 0.02
    assert abs(noise.std() - 12**-0.5) < 0.01
    assert (d.levels, d.dequantize, d.eight_bit, d.value_range) == (256, True, False, (0.0, 1.0))
    plain = data.from_arrays(x, x)
    assert (plain.levels, plain.dequantize, plain.eight_bit) == (256, False, True)


def test_noise_is_new_in_every_epoch_and_fixed_on_the_test_split():
    x, d = noisy()
    first, second = (np.sort(epoch.ravel()) for epoch in passes(d.train, 2))
    assert (first != second).any()
    np.testing.assert_array_equal(np.sort(np.floor(first * 256)), np.sort(x.ravel()))
    resumed = noisy(first_epoch=1)[1]
    np.testing.assert_array_equal(np.sort(passes(resumed.train)[0].ravel()), second)
    for other in (noisy(seed=9)[1], data.from_arrays(x, x, dequantize=True, batch_size=7)):
        np.testing.assert_array_equal(passes(other.test)[0], passes(d.test)[0])


def test_levels_of_digits_are_seventeen():
    d = data.load("digits", dequantize=True)
    k = np.round(data.head(data.load("digits").test, 297)[0] * 16)
    np.testing.assert_array_equal(np.floor(data.head(d.test, 297)[0] * 17), k)
    assert d.levels == 17
    assert data.load("digits", binarize="dynamic").levels is None


def test_bytes_of_zeros_and_ones_are_taken_as_they_are():
    x = (grey() > 127).astype(np.uint8)
    d = data.from_arrays(x, x)
    np.testing.assert_array_equal(data.head(d.test, 40)[0][..., 0], x)
    assert not d.eight_bit


class EpochsSeen(keras.Model):
    """Reports as its loss the sum of what it saw weighed by position: differs by epoch."""

    def __init__(self):
        super().__init__()
        self.built = True

    def call(self, x):
        return x

    def train_step(self, batch):
        return {"first": batch[0, 0]}

    @property
    def metrics(self):
        return []


@pytest.mark.parametrize(
    "options", [{}, {"steps_per_execution": 16}, {"jit_compile": True, "steps_per_execution": 4}]
)
def test_fit_takes_one_pass_an_epoch(options):
    expected = [p[-2, 0] for p in passes(numbered().train, 3)]  # last batch is examples 48, 49
    d = numbered()
    model = EpochsSeen()
    model.compile(**options)
    history = model.fit(d.train, epochs=3, verbose=0, shuffle=False).history
    assert history["first"] == expected
    assert d.epoch == 3


def test_mirrored_strategy_splits_batches_and_keeps_the_epochs():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        d = numbered(seed=5)
    distributed = strategy.experimental_distribute_dataset(d.train)
    seen = [np.concatenate([b.numpy() for b in distributed]) for _ in range(2)]
    np.testing.assert_array_equal(seen, passes(numbered(seed=5).train, 2))


def test_standardize_uses_the_train_split_and_can_be_undone():
    x = np.random.default_rng(0).normal([5, -3, 0.1], [2, 1e-3, 0], (200, 3))
    d = data.from_arrays(x[:150], x[150:], standardize=True)
    train = passes(d.train)[0]
    np.testing.assert_allclose(train[:, :2].mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(train[:, :2].std(0), 1, atol=1e-3)
    assert d.stddev[2] == 1
    undone = data.head(d.test, 50)[0] * d.stddev + d.mean
    np.testing.assert_allclose(undone, x[150:], atol=1e-5)


ONES = np.ones((4, 3), np.float32)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([[1.0], [np.nan], [2.0]],), {}, r"NaN or infinity \(first in row 1"),
        (([[1.0], [1e300]],), {}, r"NaN or infinity \(first in row 1"),
        ((np.zeros((0, 3)),), {}, "empty"),
        ((np.zeros(7),), {}, r"shape \(7,\); expected \[N, D\]"),
        ((np.array([["a"]]),), {}, "numbers"),
        (([[1.0], [1.0, 2.0]],), {}, "different shapes"),
        ((ONES,), {"batch_size": 0}, "batch_size is an int of at least 1; got 0"),
        ((ONES,), {"seed": 1.5}, "seed is an int; got 1.5"),
        ((ONES,), {"first_epoch": -1}, "at least 0"),
        ((ONES,), {"test_fraction": 1.0}, "between 0 and 1"),
        ((ONES,), {"binarize": "otsu"}, "'otsu' is unknown"),
        ((ONES * 2, ONES), {"binarize": "static"}, r"values from 2 to 2 \(outside"),
        ((ONES, ONES[:, :2]), {}, "two splits of the same kind"),
        ((ONES,), {"y_train": [0, 1]}, "2 labels for 4 examples"),
        ((ONES,), {"y_train": [0, 1, 2, -1]}, "whole numbers from 0"),
        ((ONES, ONES), {"y_train": [0] * 4}, "only one split has labels"),
        ((ONES[:1],), {}, "none can be held out"),
        ((ONES,), {"value_range": (0, 0.5)}, "values run from 1 to 1"),
        ((np.ones((4, 2, 2)),), {"standardize": True}, "tables and vectors"),
        ((ONES,), {"batch_size": 9, "drop_remainder": True}, "no batch of 3"),
        ((ONES,), {"dequantize": True}, "holds no levels of grey; it is for bytes"),
        ((ONES.astype("uint8"),), {"dequantize": True}, "more than the values 0 and 1"),
        ((grey(),), {"dequantize": True, "binarize": "dynamic"}, "were both given"),
    ],
)
def test_bad_input_says_what_came_and_what_to_do(arguments, options, message):
    with pytest.raises(InputError, match=message):
        data.from_arrays(*arguments, **options)
