"""Probes of codes that hold the classes, hold them bent, or do not hold them."""

import numpy as np
import pytest

from vae_tf.evaluation.latents.probes import probes
from vae_tf.utils.errors import InputError

RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(600, 4)) * [1, 1, 1, 1000]  # the last dimension is noise of another scale
LINEAR = (CODES[:, 0] > 0).astype(int)
RING = (np.hypot(CODES[:, 0], CODES[:, 1]) > 1.2).astype(int)


def test_linear_classes_bent_classes_and_none():
    found = probes(CODES, LINEAR)
    assert found.linear > 0.97
    assert found.neighbours > 0.85
    assert (found.train_examples, found.test_examples, found.classes) == (480, 120, 2)
    assert found == probes(CODES, LINEAR)
    ring = probes(CODES[:, :2], RING)
    assert ring.linear < 0.65 < 0.9 < ring.neighbours
    chance = probes(CODES, RNG.integers(0, 2, 600))
    assert chance.linear == pytest.approx(0.5, abs=0.14)
    assert chance.neighbours == pytest.approx(0.5, abs=0.14)


def test_own_test_set():
    found = probes(CODES[:500], LINEAR[:500], CODES[500:], LINEAR[500:], k=1)
    assert found.linear > 0.95
    assert found.most_frequent == max(LINEAR[500:].mean(), 1 - LINEAR[500:].mean())
    # It is the test set that is measured.
    wrong = probes(CODES[:500], LINEAR[:500], CODES[500:], 1 - LINEAR[500:], k=1)
    assert wrong.linear == pytest.approx(1 - found.linear)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((0, 4)), []), "codes is empty"),
        ((CODES[:1], [1]), "codes has 1 example"),
        ((CODES, LINEAR[:-1]), "labels has 599 labels for 600 examples"),
        ((CODES, np.zeros(600)), "one value 0 for all"),
        ((CODES, np.r_[np.zeros(599), 1]), "labels has one example of 1"),
        ((CODES, LINEAR, CODES), "belong together"),
        ((CODES, LINEAR, CODES[:, :2], LINEAR), "test_codes has 2 dimensions and codes 4"),
        ((CODES, LINEAR, CODES, LINEAR[:3]), "test_labels has 3 labels for 600"),
    ],
)
def test_bad_input_is_one_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        probes(*arguments)


def test_too_few_examples_for_k_or_for_the_split():
    with pytest.raises(InputError, match="k=500 neighbours were asked for, but there are 480"):
        probes(CODES, LINEAR, k=500)
    with pytest.raises(InputError, match=r"10 values, but test_fraction=0\.2 of 30"):
        probes(CODES[:30], np.arange(30) % 10)
