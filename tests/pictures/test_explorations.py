import numpy as np
import pytest
from matplotlib.colors import to_hex

from vae_tf import pictures
from vae_tf.pictures.style import PALETTE
from vae_tf.utils.errors import InputError

MINUS = "\N{MINUS SIGN}"


def levels(rows, columns, channels=1):
    """`[rows, columns, 4, 6, C]`; image (r, c) has the value (r * columns + c) / 100."""
    values = np.arange(rows * columns).reshape(rows, columns, 1, 1, 1) / 100
    return np.broadcast_to(values, (rows, columns, 4, 6, channels)).astype(np.float32)


def labelled_cells(figure):
    """(row label, column label) -> the value drawn where the two ticks cross."""
    axes = figure.axes[0]
    pixels = np.asarray(axes.images[0].get_array())
    rows, columns = (
        [(round(float(tick)), label.get_text()) for tick, label in zip(places, labels, strict=True)]
        for places, labels in (
            (axes.get_yticks(), axes.get_yticklabels()),
            (axes.get_xticks(), axes.get_xticklabels()),
        )
    )
    return {(r, c): np.round(np.max(pixels[y, x]), 2) for y, r in rows for x, c in columns}


@pytest.mark.parametrize("channels", [1, 3])
def test_each_cell_of_a_traversal_stands_at_its_dimension_and_value(channels):
    x = levels(2, 3, channels)
    figure = pictures.traversals(x, [-1.5, 0, 2], dimensions=[4, 0])
    assert labelled_cells(figure) == {
        ("$z_{5}$", MINUS + "1.5"): 0.0,
        ("$z_{5}$", "0"): np.float32(0.01),
        ("$z_{5}$", "2"): np.float32(0.02),
        ("$z_{1}$", MINUS + "1.5"): np.float32(0.03),
        ("$z_{1}$", "0"): np.float32(0.04),
        ("$z_{1}$", "2"): np.float32(0.05),
    }


def test_interpolations_and_edits_have_their_axes():
    figure = pictures.interpolations(levels(1, 5)[0])
    cells = labelled_cells(figure)
    assert cells["", "0"] == 0
    assert cells["", "1"] == np.float32(0.04)
    assert "t from" in figure.axes[0].get_xlabel()
    figure = pictures.edits(levels(2, 3), [-1, 0, 1])
    assert labelled_cells(figure)["2", "0"] == np.float32(0.04)
    assert figure.axes[0].get_xlabel() == "strength of the edit"


def test_vectors_are_lines_coloured_by_the_value():
    x = np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5)
    figure = pictures.traversals(x, [-1, 0, 1])
    first, second, bar = figure.axes
    np.testing.assert_array_equal([line.get_ydata() for line in second.lines], x[1])
    colours = [to_hex(line.get_color()) for line in first.lines]
    assert len(set(colours)) == 3
    assert bar.get_ylabel() == "value of the dimension"
    assert first.get_title() == "$z_{1}$"
    pictures.interpolations(x[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pictures.traversals(levels(2, 3)[0], [0, 1, 2]), r"x\[None\]"),
        (lambda: pictures.traversals(levels(2, 3), [0, 1]), "needs 3 finite numbers"),
        (lambda: pictures.traversals(levels(2, 3), [0, 1, 2], dimensions=[1]), "one a row"),
        (lambda: pictures.edits(levels(2, 3, 2), [0, 1, 2]), "2 channels"),
        (lambda: pictures.edits(levels(2, 3), [0, 1, np.nan]), "finite"),
        (lambda: pictures.interpolations(np.full((3, 2), np.inf)), "infinite"),
    ],
)
def test_bad_tables(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_overlays_colour_where_the_map_is_high_and_keep_grey_where_it_is_zero():
    x = np.full((1, 4, 4, 1), 0.5, np.float32)
    maps = np.zeros((2, 1, 4, 4))
    maps[1, 0, 2, 3] = 1
    figure = pictures.overlays(x, maps)
    pixels = np.asarray(figure.axes[0].images[0].get_array())
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "input", "$z_{1}$", "$z_{2}$",
    ]  # fmt: skip
    np.testing.assert_allclose(pixels[:9], np.where(pixels[:9] == 1, 1, 0.5))  # input, first map
    last = pixels[10:]
    coloured = np.ptp(last, axis=-1) > 0.1
    assert np.argwhere(coloured).tolist() == [[2, 3]]
    with pytest.raises(InputError, match="outside"):
        pictures.overlays(x, maps * 2)
    with pytest.raises(InputError, match="maps"):
        pictures.overlays(x, maps[0])


def test_projections_keep_what_lies_in_a_plane():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(60, 2)) * [3, 1]
    z = plane @ np.linalg.qr(rng.normal(size=(5, 5)))[0][:2]
    found, names = pictures.project(z)
    distances = [np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (plane, found)]
    np.testing.assert_allclose(*distances, atol=1e-4)
    shares = [int(name.split("(")[1].split(" %")[0]) for name in names]
    assert sum(shares) == pytest.approx(100, abs=1)
    assert shares[0] > 80
    clusters = np.repeat(np.eye(3) * 50, 20, axis=0) + rng.normal(size=(60, 3))
    embedded, _ = pictures.project(clusters, "tsne")
    middles = embedded.reshape(3, 20, 2).mean(axis=1, keepdims=True)
    nearest = np.linalg.norm(embedded[:, None] - middles[:, 0], axis=-1).argmin(axis=1)
    np.testing.assert_array_equal(nearest, np.repeat([0, 1, 2], 20))
    np.testing.assert_array_equal(pictures.project(clusters, "tsne")[0], embedded)
    axes = pictures.latent_scatter(z, projection="pca").axes[0]
    assert axes.get_xlabel().startswith("component 1 (")
    assert pictures.latent_scatter(plane, projection="pca").axes[0].get_xlabel() == "$z_1$"
    for bad, message in ((z[:3], "at least 4"), (np.full((9, 3), np.nan), "finite")):
        with pytest.raises(InputError, match=message):
            pictures.project(bad)
    with pytest.raises(InputError, match="pca, tsne"):
        pictures.latent_scatter(z, projection="umap")


def test_three_panels_show_the_prior_and_the_notes():
    codes = {name: np.zeros((5, 2)) + k for k, name in enumerate(["a", "b", "c"])}
    figure = pictures.three_panels(codes, [0, 1, 0, 1, 0], notes={"b": "collapsed"})
    for axes in figure.axes:
        (circle,) = axes.patches
        # 95 % of N(0, I) lie within: 1 - exp(-r² / 2).
        assert 1 - np.exp(-(circle.radius**2) / 2) == pytest.approx(0.95, abs=1e-3)
        (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
        assert x0 < -circle.radius < circle.radius < x1
        assert x1 - x0 == pytest.approx(y1 - y0)
    assert [axes.get_xlabel() for axes in figure.axes] == ["$z_1$", "$z_1$\ncollapsed", "$z_1$"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "0", "1", "95 % of N(0, I)",
    ]  # fmt: skip
    keys = [to_hex(handle.get_color()).upper() for handle in figure.legends[0].legend_handles[:2]]
    assert keys == list(PALETTE[:2])
    with pytest.raises(InputError, match="empty"):
        pictures.three_panels({})
