import keras
import numpy as np
import pytest
import tensorflow as tf

from vae_tf import InputError
from vae_tf.layers import Conditional, IndependentBernoulli, IndependentNormal

LAYER = IndependentNormal([2])


def of_two() -> Conditional:
    a, b = keras.Input((3,), name="a"), keras.Input((2, 2), name="b")
    h = keras.layers.Concatenate()([a, keras.layers.Flatten()(b)])
    return Conditional(keras.Model({"a": a, "b": b}, keras.layers.Dense(4)(h)), LAYER, ["b", "a"])


def test_inputs_are_broadcast_to_the_deepest_and_chosen_by_name():
    layer, random = of_two(), np.random.default_rng(0)
    a, b = random.normal(size=(5, 6, 3)), random.normal(size=(6, 2, 2))
    known = {"a": tf.constant(a, tf.float32), "b": tf.constant(b, tf.float32), "c": None}
    q = layer.distribution(known)
    assert (q.batch_shape, q.event_shape) == ((5, 6), (2,))
    apart = [layer.distribution({"a": known["a"][k], "b": known["b"]}).mean() for k in range(5)]
    np.testing.assert_allclose(q.mean(), tf.stack(apart), rtol=1e-5)
    again = Conditional.from_config(layer.get_config())
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again.distribution(known).mean(), q.mean())


def test_a_sequential_model_reads_images_and_a_layer_reads_vectors():
    network = keras.Sequential([keras.Input((4, 4)), keras.layers.Flatten(), keras.layers.Dense(4)])
    assert (
        Conditional(network, LAYER, "x").distribution({"x": tf.zeros([3, 4, 4])}).batch_shape == 3
    )
    dense = Conditional(keras.layers.Dense(4), LAYER, "z")
    assert dense.distribution({"z": tf.zeros([2, 3, 5])}).batch_shape == (2, 3)


def test_what_does_not_fit_is_said():
    with pytest.raises(InputError, match="depends on b, and known are a"):
        of_two().distribution({"a": tf.zeros([1, 3])})
    with pytest.raises(InputError, match="give the network one input for each name"):
        Conditional(of_two().network, LAYER, ["a"])
    with pytest.raises(InputError, match=r"layer is a layer of vae_tf\.layers"):
        Conditional(keras.layers.Dense(4), keras.layers.Dense(4), "x")
    assert Conditional(keras.layers.Dense(2), IndependentBernoulli([2]), "z").inputs == ("z",)
