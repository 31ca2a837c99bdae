"""Precision, recall, density, coverage and the two-sample test where the answers are known."""

import dataclasses
import json

import numpy as np
import pytest

from vae_tf.evaluation.samples.sample_quality import sample_quality
from vae_tf.evaluation.samples.two_sample import two_sample_test
from vae_tf.utils.errors import InputError

RNG = np.random.default_rng(0)
REAL, SAME = RNG.normal(size=(2, 500, 3))


def prdc(quality) -> np.ndarray:
    return np.array([quality.precision, quality.recall, quality.density, quality.coverage])


def test_by_hand():
    # k = 1 on a line: real balls [0, 2], [0, 2] around 0 and 2 -> radius 2 each, and 7 -> radius 5;
    # generated 1 -> radius 9, 10 -> radius 9.
    quality = sample_quality([[0.0], [2.0], [7.0]], [[1.0], [10.0]], neighbours=1)
    # 1 lies in the balls of 0 and 2 alone (7 - 5 = 2), 10 in that of 7; all reals lie in [-8, 19].
    assert prdc(quality) == pytest.approx([1, 1, 3 / 2, 1])
    quality = sample_quality([[0.0], [2.0], [3.0]], [[2.5], [90.0]], neighbours=1)
    # Radii 2, 1, 1: 2.5 lies in the balls of 2 and 3; all reals lie in 2.5's ball (radius 87.5).
    assert prdc(quality) == pytest.approx([1 / 2, 1, 1, 2 / 3])


def test_equal_and_disjoint_distributions():
    quality = sample_quality(REAL, SAME)
    assert quality.precision > 0.9
    assert quality.recall > 0.9
    assert quality.density == pytest.approx(1, abs=0.1)
    assert quality.coverage == pytest.approx(1 - 2**-5, abs=0.03)
    assert prdc(sample_quality(REAL, SAME + 100)).tolist() == [0, 0, 0, 0]
    assert json.loads(json.dumps(dataclasses.asdict(quality)))["generated"] == 500


def test_one_mode_of_two_is_precise_and_recalls_half():
    both = np.concatenate([REAL, SAME + 100])
    quality = sample_quality(both, RNG.normal(size=(500, 3)))
    assert quality.precision > 0.9
    assert quality.recall == pytest.approx(0.5, abs=0.05)
    assert quality.coverage == pytest.approx(0.5, abs=0.05)


def test_ties_of_discrete_data_count_as_within():
    x = RNG.integers(0, 2, size=(200, 4))
    quality = sample_quality(x, x[::-1])
    assert (quality.precision, quality.recall, quality.coverage) == (1, 1, 1)


def test_pca_says_what_it_is_and_cannot_see_the_rest():
    flat = np.concatenate([REAL[:, :2], np.zeros((500, 1))], axis=1)
    lifted = np.concatenate([SAME[:, :2], np.full((500, 1), 100.0)], axis=1)
    assert sample_quality(flat, lifted).precision == 0
    quality = sample_quality(flat, lifted, features="pca", components=2)
    assert quality.precision > 0.9
    assert quality.features.startswith("PCA (2 components of 3 values, 100.0 %")
    seen = []
    sample_quality(flat, lifted, progress=lambda *at: seen.append(at))
    assert seen[-1] == ("sample quality", 500, 500)


def test_pixels_of_both_kinds_are_on_one_scale():
    pixels = RNG.integers(0, 256, size=(50, 4, 4, 1), dtype=np.uint8)
    quality = sample_quality(pixels, (pixels / 255).astype("float32"))
    assert prdc(quality)[[0, 1, 3]].tolist() == [1, 1, 1]


@pytest.mark.parametrize("classifier", ["network", "neighbours"])
def test_two_samples(classifier):
    same = two_sample_test(REAL, SAME, classifier, seed=1)
    assert same == two_sample_test(REAL, SAME, classifier, seed=1)
    assert same.accuracy == pytest.approx(0.5, abs=0.07)  # 3 standard deviations
    assert same.p_value > 0.01
    assert (same.train_examples, same.test_examples) == (500, 500)
    other = two_sample_test(REAL, SAME + 3, classifier)
    assert other.accuracy > 0.95
    assert 0 < other.p_value < 1e-80


def test_p_values_are_uniform_under_the_null():
    # Of 200 tests of equal distributions, those below 0.1 are about 20.
    p_values = []
    for seed in range(200):
        x, y = np.random.default_rng(seed).normal(size=(2, 100, 2))
        p_values.append(two_sample_test(x, y, "neighbours", seed=seed).p_value)
    assert 8 <= np.sum(np.array(p_values) < 0.1) <= 33


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((0, 3)), SAME), "real is empty"),
        ((REAL, SAME[:1]), "generated has 1 example"),
        ((REAL, SAME[:, :2]), "generated has 2 values an example and real 3"),
        ((REAL, SAME, 0), "neighbours is an int of at least 1; got 0"),
        ((REAL, np.full((9, 3), np.nan)), "generated holds NaN"),
    ],
)
def test_bad_input_is_one_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        sample_quality(*arguments)
    if len(arguments) == 2:
        with pytest.raises(InputError, match=message):
            two_sample_test(*arguments)


def test_unknown_names():
    with pytest.raises(InputError, match="features is one of pixels, pca; got 'inception'"):
        sample_quality(REAL, SAME, features="inception")
    with pytest.raises(InputError, match="classifier is one of network, neighbours"):
        two_sample_test(REAL, SAME, "forest")
