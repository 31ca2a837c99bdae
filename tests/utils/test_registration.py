import json
import pkgutil
import subprocess
import sys
from importlib import import_module

import keras
import numpy as np
import pytest

import vae_tf
from tests.small_vae import EVENT_SHAPE, small_vae
from vae_tf.layers import IndependentBernoulli, IndependentNormal
from vae_tf.layers.conditional import Conditional
from vae_tf.models.directed_model import DirectedModel
from vae_tf.models.node import Node
from vae_tf.objectives import ELBO, IWAE, Linear
from vae_tf.priors import GaussianMixture, StandardNormal
from vae_tf.utils.registration import registered

CHILD = """
import json, sys, numpy
{imports}
path = sys.argv[1]
if path.endswith(".json"):
    part = keras.saving.deserialize_keras_object(json.load(open(path)))
    answer = keras.saving.serialize_keras_object(part)
else:
    model = keras.saving.load_model(path)
    model.save(path)
    answer = keras.saving.load_model(path).predict(numpy.ones([1, 4, 4, 1]), verbose=0).tolist()
cls = keras.saving.get_registered_object("vae_tf>VAE")
assert cls == vae_tf.VAE and keras.saving.get_registered_name(cls) == "vae_tf>VAE"
print(json.dumps(answer))
"""


def dense(shape, units):
    x = keras.Input(shape)
    return keras.Model(x, keras.layers.Dense(units)(keras.layers.Flatten()(x)))


def whole_vae():
    model = small_vae(prior=GaussianMixture(3, 2))
    model.compile("adam", ELBO(beta=Linear(10)))
    return model


def directed():
    node = Node(StandardNormal(2), Conditional(dense(EVENT_SHAPE, 4), IndependentNormal([2]), "x"))
    likelihood = IndependentBernoulli(EVENT_SHAPE)
    return DirectedModel({"z": node}, Conditional(dense((2,), 16), likelihood, "z"), seed=0)


def functional():  # with one layer of vae_tf
    x = keras.Input(EVENT_SHAPE)
    drawn = IndependentNormal([2])(dense(EVENT_SHAPE, 4)(x))
    return keras.Model(x, 0.0 * drawn)


@pytest.mark.parametrize(
    ("imports", "make"),
    [
        ("import vae_tf, keras", whole_vae),
        ("import keras, vae_tf", directed),
        ("import vae_tf.layers, keras", whole_vae),
        ("import vae_tf, keras", functional),
        ("import vae_tf.pictures, keras", lambda: IWAE(5)),
        ("import vae_tf.objectives.schedules, keras", lambda: GaussianMixture(3, 2)),
    ],
)
def test_a_fresh_process_finds_the_classes(imports, make, tmp_path):
    made = make()
    if isinstance(made, keras.Model):
        path = tmp_path / "m.keras"
        expected = made.predict(np.ones([1, *EVENT_SHAPE]), verbose=0).tolist()
        made.save(path)
    else:
        path, expected = tmp_path / "m.json", keras.saving.serialize_keras_object(made)
        path.write_text(json.dumps(expected))
    code = CHILD.format(imports=imports)
    child = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    answer = json.loads(child.stdout)
    if isinstance(made, keras.Model):
        np.testing.assert_allclose(answer, expected, rtol=1e-5)
    else:
        assert answer == json.loads(json.dumps(expected))


def test_what_is_found_in_the_sources_is_what_is_registered():
    for module in pkgutil.walk_packages(vae_tf.__path__, "vae_tf."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    classes = {
        name.removeprefix("vae_tf>"): made
        for name, made in keras.saving.get_custom_objects().items()
        if name.startswith("vae_tf>")
    }
    assert {name: made.__module__ for name, made in classes.items()} == registered()
    assert all(type(made) is type for made in classes.values())  # no proxy is left
