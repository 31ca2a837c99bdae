import keras
import numpy as np
import pytest

from tests.harness import check_determinism
from tests.small_vae import EVENT_SHAPE, binary_images, small_vae
from vae_tf import explore
from vae_tf.explore.interpolate import _arc
from vae_tf.utils.errors import InputError


@pytest.fixture(scope="module")
def vae():
    return small_vae()


@pytest.fixture(scope="module")
def x():
    return binary_images()


def mean(vae, z):
    return vae.likelihood.point_estimate(vae.decode(z)).numpy()


@pytest.mark.parametrize("method", ["linear", "spherical"])
def test_interpolation_runs_from_code_to_code_in_equal_steps(vae, x, method):
    x = x[x.any(axis=(1, 2, 3))]  # a black image has code 0 here, from which no arc starts
    ends = explore.codes(vae, x[:2])
    path = explore.interpolate(vae, x[0], x[1:2], steps=5, method=method)
    assert (path.x.shape, path.z.shape) == ((5, *EVENT_SHAPE), (5, 3))
    np.testing.assert_allclose(path.z[[0, -1]], ends, atol=1e-5)
    np.testing.assert_allclose(path.x, mean(vae, path.z), atol=1e-6)
    steps = np.linalg.norm(np.diff(path.z, axis=0), axis=1)
    if method == "linear":
        np.testing.assert_allclose(steps, steps[0], rtol=1e-4)


def test_the_arc_keeps_the_norm_and_turns_evenly():
    a, b = np.array([3.0, 0.0, 0.0]), np.array([0.0, 0.0, 3.0])
    arc = _arc(a, b, np.linspace(0, 1, 7)[:, None])
    np.testing.assert_allclose(np.linalg.norm(arc, axis=1), 3.0)
    np.testing.assert_allclose(np.degrees(np.arctan2(arc[:, 2], arc[:, 0])), np.arange(7) * 15.0)
    np.testing.assert_allclose(_arc(a, 2 * a, np.array([[0.5]])), [1.5 * a])  # no arc: the line
    for other in (-a, 0 * a):
        with pytest.raises(InputError, match="linear"):
            _arc(a, other, np.array([[0.5]]))


def test_a_traversal_changes_one_dimension_and_holds_the_others(vae, x):
    found = explore.traverse(vae, x[0], dimensions=[2, 0], values=[-1, 0.5])
    start = explore.codes(vae, x[:1])[0]
    expected = np.tile(start, (2, 2, 1))
    expected[0, :, 2] = expected[1, :, 0] = [-1, 0.5]
    np.testing.assert_array_equal(found.z, expected)
    np.testing.assert_allclose(found.x[1, 1], mean(vae, expected[1, 1:2])[0], atol=1e-6)
    everything = explore.traverse(vae)  # from the prior's mean
    assert everything.x.shape == (3, 7, *EVENT_SHAPE)
    np.testing.assert_array_equal(everything.z[:, 3], 0)


def test_directions_point_at_what_the_labels_say():
    """The code of an image is its first two pixels; the label is the first, the second follows it."""
    vae = small_vae(latent_dim=2, encoder=pixel_encoder())
    rng = np.random.default_rng(0)
    images = np.zeros((400, *EVENT_SHAPE), "float32")
    labels = rng.integers(0, 2, 400).astype(bool)
    images[:, 0, 0, 0] = np.clip(0.2 + 0.5 * labels + rng.normal(0, 0.01, 400), 0, 1)
    images[:, 0, 1, 0] = np.clip(0.4 + 0.2 * labels + rng.normal(0, 0.2, 400), 0, 1)
    difference = explore.attribute_direction(vae, images, labels)
    z = explore.codes(vae, images)
    np.testing.assert_allclose(difference, z[labels].mean(0) - z[~labels].mean(0), atol=1e-6)
    normal = explore.attribute_direction(vae, images, labels, "classifier")
    # What merely goes with the label is left alone.
    assert abs(normal[1] / normal[0]) < 0.5 * abs(difference[1] / difference[0])
    assert normal[0] == pytest.approx(0.5, abs=0.05)
    edited = explore.edit(vae, images[~labels][:3], normal, [0, 1])
    np.testing.assert_allclose(edited.z[:, 1] - edited.z[:, 0], np.tile(normal, (3, 1)), atol=1e-6)
    assert edited.x.shape == (3, 2, *EVENT_SHAPE)


def pixel_encoder():
    kernel = np.zeros((16, 4), "float32")
    kernel[0, 0] = kernel[1, 1] = 1
    dense = keras.layers.Dense(4)
    encoder = keras.Sequential([keras.Input(EVENT_SHAPE), keras.layers.Flatten(), dense])
    dense.set_weights([kernel, np.zeros(4, "float32")])
    return encoder


def test_the_nearest_is_the_nearest(vae, x):
    pool = np.unique(x, axis=0)
    found = explore.nearest(vae, pool, 3, x=pool[4:6])
    assert found.indices[:, 0].tolist() == [4, 5]
    np.testing.assert_allclose(found.distances[:, 0], 0, atol=1e-3)
    z = explore.codes(vae, pool)
    distances = np.linalg.norm(z - z[4], axis=1)
    np.testing.assert_allclose(found.distances[0], np.sort(distances)[:3], atol=1e-3)
    np.testing.assert_array_equal(found.x, pool[found.indices])
    by_z = explore.nearest(vae, pool, 1, z=z[7])
    assert by_z.indices.tolist() == [[7]]


def test_variations_are_draws_of_the_posterior(vae, x):
    drawn = explore.variations(vae, x[0], 3000, seed=1)
    q = vae.encode(x[:1])
    np.testing.assert_allclose(drawn.z.mean(0), q.mean()[0], atol=0.1)
    np.testing.assert_allclose(drawn.z.std(0), q.stddev()[0], rtol=0.1)
    check_determinism(lambda seed: explore.variations(vae, x[0], 4, seed).z)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v, x: explore.codes(v, x[:0]), "at least one example"),
        (lambda v, x: explore.codes(v, x[..., 0]), r"shape \(200, 4, 4\)"),
        (lambda v, x: explore.interpolate(v, x[:2], x[1]), "one example"),
        (lambda v, x: explore.interpolate(v, x[0], x[1], 1), "at least 2"),
        (lambda v, x: explore.interpolate(v, x[0], x[1], method="cubic"), "linear, spherical"),
        (lambda v, x: explore.traverse(v, dimensions=[3]), "from 0 to 2"),
        (lambda v, x: explore.traverse(v, values=[]), "at least one finite"),
        (lambda v, x: explore.attribute_direction(v, x, np.zeros(200)), "1 different values"),
        (lambda v, x: explore.attribute_direction(v, x, [0, 1]), r"\(2,\), expected \(200,\)"),
        (lambda v, x: explore.attribute_direction(v, x, [0, 1], "svm"), "classifier"),
        (lambda v, x: explore.edit(v, x, [1.0, 2.0]), "3 latent dimensions"),
        (lambda v, x: explore.edit(v, x, np.eye(3)), "one direction"),
        (lambda v, x: explore.nearest(v, x, 2), "one of them"),
        (lambda v, x: explore.nearest(v, x[:3], 4, x=x), "has 3 examples"),
        (lambda v, x: explore.variations(v, x[0], 0), "at least 1"),
        (lambda v, x: explore.decoded(v, [np.nan] * 3), "finite"),
    ],
)
def test_bad_input(vae, x, call, message):
    with pytest.raises(InputError, match=message):
        call(vae, x)
