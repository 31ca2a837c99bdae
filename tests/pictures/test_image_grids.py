import io
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image
from scipy.stats import norm

from vae_tf import pictures
from vae_tf.pictures.manifold import latent_grid
from vae_tf.pictures.style import DPI
from vae_tf.pictures.tile import near_square
from vae_tf.utils.errors import InputError


def flat_images(*levels, size=(4, 6), channels=1):
    """One image a level, all its pixels of that value."""
    return np.stack([np.full((*size, channels), level, np.float32) for level in levels])


def shown(figure, axes=0):
    """The pixels of the figure's image, in image pixels."""
    return np.asarray(figure.axes[axes].images[0].get_array())


def rendered(figure, dpi=DPI):
    """What the PNG holds: [H, W, 3] uint8."""
    file = io.BytesIO()
    figure.savefig(file, dpi=dpi, format="png")
    return np.asarray(Image.open(file).convert("RGB"))


def test_tile_puts_image_k_into_cell_k_with_gaps_between_only():
    images = flat_images(0.1, 0.2, 0.3, 0.4, 0.5, channels=3)
    grid = pictures.tile(images, 2, 3, gap=(2, 1), fill=9.0)
    assert grid.shape == (2 * 4 + 2, 3 * 6 + 2, 3)
    for k in range(5):
        top, left = (k // 3) * (4 + 2), (k % 3) * (6 + 1)
        np.testing.assert_array_equal(grid[top : top + 4, left : left + 6], images[k])
    assert (grid[4:6] == 9).all()
    assert (grid[:, 6] == 9).all()
    assert (grid[6:, 14:] == 9).all()  # the cell without an image


def test_tile_keeps_the_image_upright():
    image = np.arange(6, dtype=np.float32).reshape(1, 2, 3, 1)
    np.testing.assert_array_equal(pictures.tile(image, 1, 1), image[0])
    with pytest.raises(InputError, match="5 images do not fit"):
        pictures.tile(flat_images(*[0] * 5), 2, 2)


@pytest.mark.parametrize(
    ("number", "grid"), [(1, (1, 1)), (7, (3, 3)), (10, (2, 5)), (12, (3, 4)), (64, (8, 8))]
)
def test_near_square(number, grid):
    assert near_square(number) == grid


def test_every_image_pixel_is_the_same_square_of_output_pixels():
    checkers = (np.indices((28, 28)).sum(0) % 2).astype(np.float32)[None, ..., None]
    picture = rendered(pictures.samples(np.repeat(checkers, 64, 0)))[..., 0]
    assert set(np.unique(picture)) == {0, 255}, "an edge was blurred"
    # Along a line of pixels through the first row of images, black and white alternate evenly.
    line = picture[picture.shape[0] // 64 + 12]
    edges = np.flatnonzero(np.diff(line.astype(int)))
    runs = np.diff(edges)
    step = np.bincount(runs).argmax()
    assert step > 1
    assert set(runs % step) == {0}


@pytest.mark.parametrize("channels", [1, 3])
def test_samples_show_the_images_in_reading_order_and_clip(channels):
    x = flat_images(-0.5, 0.25, 0.5, 1.5, channels=channels)
    image = shown(pictures.samples(x, columns=2))
    corners = image[0, 0], image[0, -1], image[-1, 0], image[-1, -1]
    assert [float(np.max(c)) for c in corners] == [0.0, 0.25, 0.5, 1.0]


def test_samples_of_vectors_are_a_line_each():
    x = np.random.default_rng(0).normal(size=(3, 5))
    (axes,) = pictures.samples(x).axes
    np.testing.assert_array_equal([line.get_ydata() for line in axes.lines], x)
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [1, 2, 3, 4, 5])


def test_originals_stand_above_their_reconstructions():
    x, y = flat_images(0.1, 0.2, 0.3), flat_images(0.6, 0.7, 0.8)
    figure = pictures.reconstructions(x, y, columns=2)
    (axes,) = figure.axes
    image = shown(figure)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["original", "reconstruction"] * 2
    rows = [round(tick) for tick in axes.get_yticks()]
    got = [[float(image[row, 0]), float(image[row, -1])] for row in rows]
    white = 1.0  # there is no fourth example
    np.testing.assert_allclose(got, [[0.1, 0.2], [0.6, 0.7], [0.3, white], [0.8, white]], rtol=1e-6)


def test_reconstructed_vectors_lie_over_the_originals():
    x = np.random.default_rng(0).normal(size=(5, 7))
    panels = pictures.reconstructions(x, x + 1).axes
    for k in range(5):
        original, reconstruction = panels[k].lines
        np.testing.assert_array_equal(original.get_ydata(), x[k])
        np.testing.assert_array_equal(reconstruction.get_ydata(), x[k] + 1)
        assert to_hex(original.get_color()) != to_hex(reconstruction.get_color())


def test_the_manifold_grows_to_the_right_and_upwards_at_the_quantiles():
    seen = []

    def decode(z):  # red shows z1, green shows z2
        seen.append(z)
        pixel = np.concatenate([norm.cdf(z), np.zeros((len(z), 1))], axis=1)
        return np.tile(pixel[:, None, None], (1, 4, 6, 1))

    n = 5
    figure = pictures.manifold(decode, n)
    probabilities = (np.arange(n) + 0.5) / n
    image = shown(figure)[::4, ::6]  # a pixel a cell
    np.testing.assert_allclose(image[..., 0], np.tile(probabilities, (n, 1)), atol=1e-6)
    np.testing.assert_allclose(image[..., 1], np.tile(probabilities[::-1, None], n), atol=1e-6)
    (z,) = seen
    assert z.shape == (n * n, 2)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z[:n, 0], norm.ppf(probabilities), atol=1e-6)

    axes = figure.axes[0]
    np.testing.assert_allclose(axes.get_xticks(), np.arange(n) * 6 + 2.5)
    np.testing.assert_allclose(axes.get_yticks(), (n - 1 - np.arange(n)) * 4 + 1.5)
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        values = [float(label.get_text().replace("\N{MINUS SIGN}", "-")) for label in labels]
        np.testing.assert_allclose(values, norm.ppf(probabilities), atol=0.005)


@pytest.mark.parametrize("n", [1, 2, 9, 10, 20, 21])
def test_manifold_labels_are_symmetric_and_sit_on_their_cells(n):
    axes = pictures.manifold(lambda z: np.zeros((len(z), 2, 2, 1)), n).axes[0]
    values = [float(t.get_text().replace("\N{MINUS SIGN}", "-")) for t in axes.get_xticklabels()]
    cells = ((axes.get_xticks() + 0.5) / 2 - 0.5).round().astype(int)
    np.testing.assert_allclose(values, norm.ppf((cells + 0.5) / n), atol=0.0051)
    np.testing.assert_allclose(values, -np.array(values)[::-1])
    assert len(values) <= 9


def test_the_latent_grid_is_row_by_row_from_the_top():
    a = norm.ppf(0.75)
    np.testing.assert_allclose(latent_grid(2), [[-a, a], [a, a], [-a, -a], [a, -a]], rtol=1e-6)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((3, 8, 8)), r"`x` has shape \(3, 8, 8\).*x\[\.\.\., None\]"),
        (np.zeros(3), r"`x` has shape \(3,\), but a picture needs images"),
        (np.zeros((3, 8, 8, 2)), "2 channels"),
        (np.zeros((3, 8, 8, 4)), r"4 channels.*x\[\.\.\., :3\]"),
        (np.zeros((0, 8, 8, 1)), "empty"),
        (np.full((3, 8, 8, 1), 255, np.uint8), "Divide by 255"),
        (np.array([[1.0, 2.0], [np.nan, 0.0]]), "1 of 2 examples, the first at index 1"),
        ([["a", "b"]], "no array of real numbers"),
        ([[1.0], [1.0, 2.0]], "no array of real numbers"),
    ],
)
def test_bad_examples(x, message):
    with pytest.raises(InputError, match=message):
        pictures.samples(x)


def test_bad_reconstructions_and_manifolds():
    x = flat_images(0.1, 0.2)
    with pytest.raises(InputError, match=r"\(2, 4, 6, 1\) and `x_reconstructed` \(1, 4, 6, 1\)"):
        pictures.reconstructions(x, x[:1])
    with pytest.raises(InputError, match="columns is an int of at least 1; got 0"):
        pictures.samples(x, columns=0)
    with pytest.raises(InputError, match="columns is an int of at least 1; got 0"):
        pictures.reconstructions(x, x, columns=0)
    with pytest.raises(InputError, match=r"`decode` gave shape \(9, 2\).*needs images \[9, H"):
        pictures.manifold(lambda z: z, 3)
    with pytest.raises(InputError, match="needs images"):
        pictures.manifold(lambda z: flat_images(0.0), 3)
    with pytest.raises(InputError, match=r"n is an int of at least 1; got 2\.5"):
        pictures.manifold(lambda z: z, 2.5)


def test_the_package_loads_neither_a_framework_nor_a_display(tmp_path):
    code = (
        "import sys, vae_tf.pictures as p; p.save(p.samples([[1., 2.]]), sys.argv[1]);"
        "print(sorted({'tensorflow', 'keras', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "x.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
