"""Scores of data that are, and are not, of the model's kind."""

import dataclasses
import json
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.small_vae import small_vae
from vae_tf import presets
from vae_tf.evaluation.ood.background_model import _mutate, train_background
from vae_tf.evaluation.ood.complexity import complexity
from vae_tf.evaluation.ood.detection import detection
from vae_tf.evaluation.ood.scores import out_of_distribution
from vae_tf.utils.errors import InputError

NOISE = np.random.default_rng(5).integers(0, 2, size=(150, 4, 4, 1)).astype("float32")


# Two rows are on and two are off, mostly.
ON = np.repeat([0.9, 0.9, 0.1, 0.1], 4).reshape(4, 4, 1)


def pixelwise(on):
    """A VAE whose pixels are on with these probabilities, whatever z is; q(z|x) = p(z)."""
    vae = small_vae()
    for network, bias in (
        (vae.encoder, [0, 0, 0] + 3 * [np.log(np.e - 1)]),
        (vae.decoder, np.log(on / (1 - on)).ravel()),
    ):
        zeros = [np.zeros_like(weight) for weight in network.get_weights()]
        network.set_weights([*zeros[:-1], np.array(bias)])
    return vae


def draw(on, n, seed=0):
    """`n` images of such pixels."""
    return (np.random.default_rng(seed).random((n, *on.shape)) < on).astype("float32")


@pytest.fixture(scope="module")
def vae():
    return pixelwise(ON)


def test_figures_by_hand():
    found = detection(np.array([4.0, 3, 2, 1]), np.array([2.5, 0]))
    # Of 8 pairs those of 2 and 1 with 2.5 are in the wrong order.
    assert found.auroc == 6 / 8
    # Precision at each in-distribution example in turn: 1/1, 2/2, 3/4, 4/5.
    assert found.auprc == pytest.approx((1 + 1 + 3 / 4 + 4 / 5) / 4)
    assert found.fpr_at_95_tpr == 1 / 2  # the threshold lies at 1, to let in all four
    backwards = detection(np.zeros(100), np.ones(50))
    assert (backwards.auroc, backwards.fpr_at_95_tpr) == (0, 1)
    # The highest threshold with 95 of 100: 5.
    apart = detection(np.arange(100.0), np.array([4.0, 4.5, 5.0, 90.0]))
    assert apart.fpr_at_95_tpr == 2 / 4


def test_the_error_of_an_auroc_is_its_spread_over_other_examples():
    random = np.random.default_rng(0)
    found = [detection(random.normal(1.0, 1, 40), random.normal(0.0, 2, 150)) for _ in range(300)]
    spread = np.std([one.auroc for one in found])
    assert np.mean([one.auroc_error for one in found]) == pytest.approx(spread, rel=0.1)
    assert np.isnan(detection(np.zeros(1), np.ones(3)).auroc_error)


def test_complexity_is_a_file_size():
    x = np.random.default_rng(0).integers(0, 256, size=(3, 16, 16, 1)) / 255
    x[0] = 0.5
    sizes = complexity(x.astype("float32"))
    assert sizes.compressor == "PNG, 8 bits a value"
    # Noise cannot be compressed: 8 bits a pixel and the format's share.
    assert (sizes.bits[1:] >= 8 * 256).all()
    assert (sizes.bits[1:] < 8 * 256 + 1000).all()
    assert sizes.bits[0] < sizes.bits[1] / 2


def test_complexity_takes_the_smallest_way_to_write(monkeypatch):
    written = []
    save = Image.Image.save
    monkeypatch.setattr(
        Image.Image, "save", lambda self, *a, **k: (written.append(self), save(self, *a, **k))
    )
    binary = complexity(NOISE)
    assert binary.compressor == "PNG, 1 bit a value"
    np.testing.assert_array_equal(np.asarray(written[0]), NOISE[0, ..., 0] == 1)
    assert complexity(np.repeat(NOISE, 3, axis=-1)).compressor == "PNG, 8 bits a value"
    np.testing.assert_array_equal(np.asarray(written[-1]), 255 * np.repeat(NOISE[-1], 3, axis=-1))
    table = np.array([[-3.0, 0, 5], [5, 5, 5]])
    sizes = complexity(table)
    assert sizes.compressor == "zlib, 8 bits a value"
    assert sizes.bits[0] == 8 * len(zlib.compress(bytes([0, 96, 255]), 9))
    assert complexity(table > 0).compressor == "zlib, 1 bit a value"


def test_likelihood_tells_noise_from_data(vae):
    x, seen = draw(ON, 130), []
    found = out_of_distribution(
        vae, x, NOISE, num_samples=10, batch_size=60, progress=lambda *at: seen.append(at)
    )
    assert set(found.detections) == {"log_prob", "elbo", "input_complexity"}
    assert found.detections["log_prob"].auroc > 0.97
    exact = np.log(np.where(x == 1, ON, 1 - ON)).sum(axis=(1, 2, 3))
    for name in ("log_prob", "elbo"):  # with q(z|x) = p(z) = p(z|x) they are one
        np.testing.assert_allclose(found.detections[name].scores_in, exact, rtol=1e-4)
    np.testing.assert_allclose(
        found.detections["input_complexity"].scores_in,
        exact / np.log(2) + complexity(np.concatenate([x, NOISE])).bits[:130],
        rtol=1e-4,
    )
    assert seen[2:4] == [
        ("importance-weighted bound of x_in", 130, 130),
        ("importance-weighted bound of x_out", 60, 150),
    ]
    assert json.loads(json.dumps(dataclasses.asdict(found)))["examples_out"] == 150
    figures = json.loads(json.dumps(found.as_dict()))
    assert figures["detections"]["elbo"]["auroc"] == found.detections["elbo"].auroc


def test_scores_are_a_function_of_the_seed():
    first, again, other = (
        out_of_distribution(small_vae(), NOISE[:60], NOISE[60:], num_samples=2, seed=seed)
        for seed in (0, 0, 1)
    )
    assert first == again
    for name in first.detections:
        assert first.detections[name].scores_in != other.detections[name].scores_in
    log_prob, elbo = (np.mean(first.detections[name].scores_in) for name in ("log_prob", "elbo"))
    assert log_prob > elbo


def test_the_ratio_takes_out_what_is_simple():
    # Pixels are on with probability 0.2, and those of the first row, which matters, with 0.7.
    on = np.full((4, 4, 1), 0.2)
    on[0] = 0.7
    x = draw(on, 300)
    empty = np.zeros((300, *on.shape), "float32")  # the likeliest pixels, but for that row
    vae, background = pixelwise(on), pixelwise(np.full_like(on, 0.2))
    found = out_of_distribution(vae, x, empty, background)
    figures = found.detections
    assert figures["log_prob"].auroc < 0.5
    # Only a first row that is off by chance, once in 123 examples, cannot be told from them.
    assert figures["likelihood_ratio"].auroc > 0.98
    # The densities are those written down: the ratio is a sum over the first row.
    exact = np.where(x[:, 0], np.log(0.7 / 0.2), np.log(0.3 / 0.8)).sum(axis=(1, 2))
    np.testing.assert_allclose(figures["likelihood_ratio"].scores_in, exact, atol=1e-4)


def test_background_training_repeats_leaves_its_inputs_alone_and_sees_mutations(vae, monkeypatch):
    # Compiling with XLA would take longer than the training.
    monkeypatch.setattr("vae_tf.training.trainer.xla_is_faster", lambda model: False)
    x = np.zeros((2000, 4, 4, 1), "float32")
    x[:, :2] = 1
    before, weights = x.copy(), [w.copy() for w in vae.get_weights()]
    one, other = (
        train_background(vae, x, 0.4, epochs=4, batch_size=50, learning_rate=0.01, seed=3)
        for _ in range(2)
    )
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(x, before)
    for now, then in zip(vae.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, then)
    # 0.4 of the pixels are drawn anew, half of them to what they were.
    mean = one.sample(500, seed=0).numpy().mean(axis=(0, 2, 3))
    np.testing.assert_allclose(mean, [0.8, 0.8, 0.2, 0.2], atol=0.04)


def test_mutation_replaces_that_share_by_levels_that_occur():
    rng = np.random.default_rng(0)
    x = np.zeros((1000, 100), "float32")
    x[:, 0] = 1
    mutated = _mutate(x.copy(), 0.3, rng)
    assert set(np.unique(mutated)) == {0, 1}
    assert (mutated != x).mean() == pytest.approx(0.15, abs=0.01)  # half draw what was there
    x = rng.normal(size=(1000, 100)).astype("float32")
    mutated = _mutate(x.copy(), 0.3, rng)
    changed = mutated != x
    assert changed.mean() == pytest.approx(0.3, abs=0.01)
    assert mutated[changed].std() == pytest.approx((x.max() - x.min()) / np.sqrt(12), rel=0.02)


@pytest.mark.parametrize(
    ("x_in", "x_out", "message"),
    [
        (NOISE, np.zeros((3, 5, 4, 1)), r"x_out has shape \(3, 5, 4, 1\), expected \[batch, 4, 4"),
        (NOISE[:0], NOISE, "x_in is empty"),
        (NOISE, NOISE[:1], "x_out has one example"),
        (NOISE, NOISE - 1, "x_out has values from -1"),
    ],
)
def test_bad_input_is_one_sentence(vae, x_in, x_out, message):
    with pytest.raises(InputError, match=message):
        out_of_distribution(vae, x_in, x_out)


def test_bad_arguments(vae):
    with pytest.raises(InputError, match="mutation_rate is 1, expected"):
        train_background(vae, NOISE, 1)
    with pytest.raises(InputError, match="x_train is empty"):
        train_background(vae, NOISE[:0])
    with pytest.raises(InputError, match="num_samples is an int of at least 1; got 0"):
        out_of_distribution(vae, NOISE, NOISE, num_samples=0)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_models_that_do_not_fit_or_are_broken(vae):
    with pytest.raises(InputError, match=r"events of shape \(3,\) and the model for \(4, 4, 1\)"):
        out_of_distribution(vae, NOISE, NOISE, presets.create("mlp", 3, 2, hidden=()))
    broken = pixelwise(np.full((4, 4, 1), np.nan))
    with pytest.raises(InputError, match="log_prob is not finite for 150 of 150 examples of x_in"):
        out_of_distribution(broken, NOISE, NOISE, num_samples=1)
