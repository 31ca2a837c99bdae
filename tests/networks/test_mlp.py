"""The dense networks."""

import keras
import numpy as np
import pytest

from vae_tf import networks
from vae_tf.utils.errors import InputError


def test_the_default_is_the_network_of_the_paper():
    encoder = networks.mlp_encoder([28, 28, 1], 40)
    decoder = networks.mlp_decoder(20, 784)
    for network, shapes in (
        (encoder, [(784, 500), (500,), (500, 40), (40,)]),
        (decoder, [(20, 500), (500,), (500, 784), (784,)]),
    ):
        assert isinstance(network, keras.Model)
        assert [tuple(w.shape) for w in network.weights] == shapes
        assert network.get_layer("hidden_1").activation is keras.activations.tanh
    assert encoder.input_shape == (None, 28, 28, 1)
    assert decoder.output_shape == (None, 784)


@pytest.mark.parametrize("event_shape", [7, [7], [3, 4], [2, 3, 4, 5], []])
def test_any_event_shape(event_shape):
    encoder = networks.mlp_encoder(event_shape, 6, hidden=5, activation="relu")
    shape = [event_shape] if isinstance(event_shape, int) else event_shape
    assert encoder(np.zeros([2, *shape], "float32")).shape == (2, 6)


def test_no_hidden_layer_is_a_linear_network():
    decoder = networks.mlp_decoder(3, 4, hidden=())
    assert [tuple(w.shape) for w in decoder.weights] == [(3, 4), (4,)]


def test_config_round_trip():
    encoder = networks.mlp_encoder([4, 4], 6, hidden=(8, 5), seed=1)
    copy = keras.Model.from_config(encoder.get_config())
    assert copy.output_shape == encoder.output_shape
    for a, b in zip(copy.weights, encoder.weights, strict=True):
        np.testing.assert_array_equal(a, b)  # the seed is in the config


def test_float64_policy_reaches_the_input():
    keras.config.set_dtype_policy("float64")
    encoder = networks.mlp_encoder([4], 6, hidden=5)
    assert encoder.inputs[0].dtype == "float64"
    assert encoder(np.zeros([1, 4])).dtype == "float64"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden": (5, -1)}, "each of hidden is an int of at least 1; got -1"),
        ({"hidden": "500"}, "hidden is an int or a sequence of at least 0 ints"),
        ({"hidden": True}, "hidden is an int or a sequence"),
        ({"activation": "tanhh"}, "activation is a name of keras.activations.*got 'tanhh'"),
        ({"seed": 1.5}, "seed is an int; got 1.5"),
        ({"outputs": 0}, "outputs is an int of at least 1; got 0"),
        ({"latent_dim": 0}, "latent_dim is an int of at least 1; got 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        networks.mlp_decoder(**{"latent_dim": 2, "outputs": 3, **arguments})
