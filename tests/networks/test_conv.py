"""The convolutional networks: any size, and parameters where the likelihood reads them."""

from itertools import pairwise

import keras
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vae_tf import layers, networks
from vae_tf.networks.images import halvings
from vae_tf.utils.errors import InputError

PAIRS = {
    "conv": (networks.conv_encoder, networks.conv_decoder),
    "conv_deep": (networks.conv_deep_encoder, networks.conv_deep_decoder),
}
pairs = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
sizes = st.integers(1, 41)


@pairs
@settings(max_examples=6, deadline=None)
@given(height=sizes, width=sizes, channels=st.integers(1, 4), planes=st.integers(1, 3))
@example(height=8, width=8, channels=1, planes=1)
@example(height=7, width=9, channels=3, planes=2)
@example(height=1, width=40, channels=1, planes=1)
@example(height=1, width=1, channels=2, planes=1)
def test_shapes_of_any_image(pair, height, width, channels, planes):
    encoder, decoder = pair
    event = [height, width, channels]
    assert encoder(event, 6, filters=(2, 3)).output_shape == (None, 6)
    network = decoder(5, event, planes, filters=(3, 2))
    flat = planes * height * width * channels
    assert network.output_shape == (None, flat)
    assert network(np.zeros([2, 5], "float32")).shape == (2, flat)


@settings(max_examples=4, deadline=None)
@given(height=sizes, width=sizes)
def test_full_size_maps_fit_any_image(height, width):
    decoder = networks.conv_decoder(5, [height, width, 2], filters=(3, 2), full_size=True)
    assert decoder(np.zeros([2, 5], "float32")).shape == (2, height * width * 2)


@given(height=sizes, width=sizes, times=st.integers(1, 5))
def test_halvings_end_at_one(height, width, times):
    rows = halvings(height, width, times)
    assert rows[0] == (height, width)
    assert len(rows) == times + 1
    for (h, w), (half_h, half_w) in pairwise(rows):
        assert h in (2 * half_h, 2 * half_h - 1)
        assert w in (2 * half_w, 2 * half_w - 1)


@pairs
def test_an_image_without_channel_axis_has_one_channel(pair):
    encoder, decoder = pair
    x = np.random.default_rng(0).random((2, 7, 6)).astype("float32")
    flat, deep = encoder([7, 6], 3, seed=1), encoder([7, 6, 1], 3, seed=1)
    np.testing.assert_array_equal(flat(x), deep(x[..., None]))
    assert decoder(2, [7, 6]).output_shape == (None, 42)


@pairs
def test_planes_land_where_the_likelihood_reads_them(pair):
    check_planes(pair[1])


def test_planes_land_there_with_full_size_maps_too():
    check_planes(networks.conv_decoder, full_size=True)


def check_planes(make_decoder, **options):
    event, planes = [5, 6, 3], 2
    likelihood = layers.IndependentNormal(event)
    decoder = make_decoder(2, event, likelihood.params_per_element, filters=(4, 4), **options)
    last = [layer for layer in decoder.layers if layer.weights][-1]
    kernel, bias = last.get_weights()
    last.set_weights([np.zeros_like(kernel), np.arange(planes * 3, dtype="float32")])
    assert bias.shape == (planes * 3,)

    normal = likelihood.distribution(decoder(np.zeros([1, 2], "float32"))).distribution
    for channel in range(3):
        np.testing.assert_allclose(normal.loc[0, :, :, channel], channel)
        softplus = np.log1p(np.exp(3.0 + channel))
        np.testing.assert_allclose(normal.scale[0, :, :, channel], softplus, rtol=1e-4)


@pairs
def test_pixels_keep_their_places(pair):
    """A decoder of two planes is the one of plane 0 and the one of plane 1, each in row order."""
    event = [5, 6, 2]
    decoder = pair[1](2, event, 2, filters=(4, 4), seed=0)
    maps = next(layer for layer in decoder.layers if layer.name == "planes").input
    z = np.random.default_rng(1).normal(size=(3, 2)).astype("float32")
    images = keras.Model(decoder.input, maps)(z).numpy()  # [3, 5, 6, 2 * 2]
    flat = decoder(z).numpy()
    np.testing.assert_array_equal(flat[:, :60].reshape(3, *event), images[..., :2])
    np.testing.assert_array_equal(flat[:, 60:].reshape(3, *event), images[..., 2:])


def test_keras_io_example_can_be_built():
    encoder = networks.conv_encoder([28, 28, 1], 4, filters=(32, 64), hidden=16)
    decoder = networks.conv_decoder(2, [28, 28, 1], filters=(64, 32), full_size=True)
    # The counts that the example's summary prints.
    assert encoder.count_params() == 69_076
    assert decoder.count_params() == 65_089


@pairs
def test_config_round_trip(pair):
    for network in (pair[0]([7, 6, 1], 4, seed=3), pair[1](2, [7, 6, 1], 2, seed=3)):
        copy = keras.Model.from_config(network.get_config())
        assert copy.output_shape == network.output_shape
        for a, b in zip(copy.weights, network.weights, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_deep_network_starts_without_its_residuals():
    x = np.random.default_rng(0).random((2, 9, 8, 1)).astype("float32")
    deep = networks.conv_deep_encoder([9, 8, 1], 4, filters=(4, 6), blocks=2)
    shallow = networks.conv_deep_encoder([9, 8, 1], 4, filters=(4, 6), blocks=0)
    named = {layer.name: layer for layer in deep.layers}
    for layer in shallow.layers:
        layer.set_weights(named[layer.name].get_weights())
    np.testing.assert_allclose(deep(x), shallow(x), rtol=1e-6)
    assert len(deep.weights) > len(shallow.weights)


@pairs
@pytest.mark.parametrize("event_shape", [7, [7], [2, 3, 4, 5], []])
def test_events_that_are_no_images(pair, event_shape):
    with pytest.raises(InputError, match=r"needs images.*use the mlp networks"):
        pair[0](event_shape, 4)
    with pytest.raises(InputError, match=r"needs images.*use the mlp networks"):
        pair[1](2, event_shape)


@pairs
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": ()}, "filters is an int or a sequence of at least 1 ints"),
        ({"filters": (8, 0)}, "each of filters is an int of at least 1; got 0"),
        ({"params_per_element": 0}, "params_per_element is an int of at least 1"),
        ({"latent_dim": 0}, "latent_dim is an int of at least 1"),
        ({"activation": 3}, "activation is a name of keras.activations"),
    ],
)
def test_bad_arguments(pair, arguments, message):
    with pytest.raises(InputError, match=message):
        pair[1](**{"latent_dim": 2, "event_shape": [4, 4, 1], **arguments})


def test_bad_sizes_of_one_network():
    with pytest.raises(InputError, match="blocks is an int of at least 0; got -1"):
        networks.conv_deep_encoder([4, 4, 1], 2, blocks=-1)
    with pytest.raises(InputError, match="outputs is an int of at least 1"):
        networks.conv_encoder([4, 4, 1], 0)
