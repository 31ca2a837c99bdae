import numpy as np
import pytest
from matplotlib.colors import to_hex

from vae_tf import pictures
from vae_tf.pictures.style import PALETTE
from vae_tf.utils.errors import InputError


def colour_at(axes):
    """(x, y) -> the colour drawn there."""
    found = {}
    for points in axes.collections:
        colours = points.get_facecolors()
        for k, (x, y) in enumerate(points.get_offsets()):
            found[float(x), float(y)] = to_hex(colours[k % len(colours)]).upper()
    return found


@pytest.mark.parametrize(
    "labels",
    [np.arange(40) % 10, (np.arange(40) % 10).astype(float), [b"%d" % (i % 10) for i in range(40)]],
    ids=["int", "float", "bytes"],
)
def test_a_point_has_the_colour_that_the_legend_gives_its_label(labels):
    z = np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32)
    figure = pictures.latent_scatter(z, labels)
    (legend,) = figure.legends
    key = {
        text.get_text(): to_hex(handle.get_color()).upper()
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
    }
    assert list(key) == [str(k) for k in range(10)]
    assert len(set(key.values())) == 10
    drawn = colour_at(figure.axes[0])
    assert len(drawn) == 40
    for k, (x, y) in enumerate(z):
        assert drawn[float(x), float(y)] == key[str(k % 10)]


def test_more_classes_than_colours_differ_in_shape():
    number = 2 * len(PALETTE) + 3
    z = np.random.default_rng(0).normal(size=(number, 2))
    (legend,) = pictures.latent_scatter(z, [f"c{k:02}" for k in range(number)]).legends
    looks = {(to_hex(h.get_color()), h.get_marker()) for h in legend.legend_handles}
    assert len(looks) == number


def test_a_quantity_has_a_colour_bar_and_no_legend():
    z = np.random.default_rng(0).normal(size=(60, 2))
    for labels in (np.linspace(0, 1, 60), np.arange(60)):
        figure = pictures.latent_scatter(z, labels)
        assert len(figure.axes) == 2
        assert not figure.legends


def test_the_scatter_has_one_scale():
    z = np.random.default_rng(0).normal(size=(50, 2)) * [1.0, 0.01]
    axes = pictures.latent_scatter(z).axes[0]
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    assert x1 - x0 == pytest.approx(y1 - y0)
    assert axes.get_aspect() == 1
    assert (z.min(axis=0) > [x0, y0]).all()
    assert (z.max(axis=0) < [x1, y1]).all()
    pictures.latent_scatter([[1.0, 1.0]], [0])  # no extent at all


@pytest.mark.parametrize(
    ("z", "labels", "message"),
    [
        (np.zeros((5, 20)), None, r"20 columns.*Pick two.*principal components"),
        (np.zeros((5, 1)), None, r"shape \(5, 1\)"),
        (np.zeros(5), None, r"shape \(5,\)"),
        (np.zeros((0, 2)), None, "empty"),
        (np.full((5, 2), np.nan), None, "NaN.*row 0"),
        (np.zeros((5, 2)), np.zeros(4), r"labels.*\(4,\).*5 points"),
        (np.zeros((5, 2)), np.eye(5), "argmax"),
        (np.zeros((5, 2)), np.full(5, np.nan), "`labels` has NaN"),
        (np.zeros((60, 2)), [str(k) for k in range(60)], "60 classes"),
    ],
)
def test_bad_latents(z, labels, message):
    with pytest.raises(InputError, match=message):
        pictures.latent_scatter(z, labels)


def lines_of(figure):
    """Panel title -> line label -> values."""
    return {
        axes.get_title(): {line.get_label(): line.get_ydata() for line in axes.lines}
        for axes in figure.axes
    }


def test_learning_curves_have_a_panel_a_term_with_both_sets():
    history = {"loss": [9.0, 8.0], "elbo": [-9.0, -8.0], "kl": [1.0, 2.0], "beta": [0.0, 1.0]}
    history |= {"log_likelihood": [-8.0, -6.0], "val_elbo": [-10.0, -9.0], "val_kl": [2.0, 3.0]}
    figure = pictures.learning_curves(history)
    panels = lines_of(figure)
    assert list(panels) == ["ELBO", "log likelihood", "KL divergence"]
    np.testing.assert_array_equal(panels["ELBO"]["training"], [-9, -8])
    np.testing.assert_array_equal(panels["ELBO"]["validation"], [-10, -9])
    assert list(panels["log likelihood"]) == ["training"]
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), [1, 2])
    assert figure.axes[0].get_ylabel() == "nats per example"
    assert list(lines_of(pictures.learning_curves({"loss": [3.0, 2.0]}))) == ["loss"]


def test_learning_curves_of_one_epoch_and_between_gaps_have_dots():
    one = pictures.learning_curves({"elbo": [-9.0]}).axes[0].lines[0]
    assert one.get_marker() == "o"
    assert one.get_markevery() == [True]

    values = np.full(60, -5.0)
    values[[1, 3, 4, 5]] = [np.nan, np.inf, np.nan, -6.0]  # alone: epochs 1 and 3
    long = pictures.learning_curves({"elbo": values, "kl": [np.nan] * 60})
    line = long.axes[0].lines[0]
    assert list(np.flatnonzero(line.get_markevery())) == [0, 2]
    assert np.isfinite(long.axes[0].get_ylim()).all()
    assert [text.get_text() for text in long.axes[1].texts] == ["no finite value"]


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, "learning curves need some of"),
        ({"accuracy": [1.0]}, r"names \['accuracy'\]"),
        ({"elbo": [], "kl": []}, "no epoch"),
        ({"elbo": [1.0, 2.0], "val_elbo": [1.0]}, "Put NaN where an epoch had no validation"),
        ({"elbo": ["a"]}, "no array of real numbers"),
    ],
)
def test_bad_histories(history, message):
    with pytest.raises(InputError, match=message):
        pictures.learning_curves(history)
