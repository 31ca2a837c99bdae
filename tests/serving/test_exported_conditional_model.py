import keras
import numpy as np
import pytest

from vae_tf.layers import IndependentBernoulli, IndependentNormal
from vae_tf.layers.conditional import Conditional
from vae_tf.models.directed_model import DirectedModel
from vae_tf.models.node import Node
from vae_tf.priors import StandardNormal
from vae_tf_serving import Client, ServingError
from vae_tf_serving.server import Server
from vae_tf_serving.startup.flags import AUTO_PORT, Options

EVENT, ROWS = (4, 3, 1), 5
SHAPES = {"x": EVENT, "colour": (3,), "size": (1,), "z1": (3,), "z2": (2,)}


def conditional(layer, *names):
    keras.utils.set_random_seed(len(names))
    inputs = {name: keras.Input(SHAPES[name], name=name) for name in names}
    flat = [keras.layers.Flatten()(x) for x in inputs.values()]
    joined = keras.layers.Concatenate()(flat) if flat[1:] else flat[0]
    params = keras.layers.Dense(layer.params_size)(joined)
    return Conditional(keras.Model(inputs, params), layer, names)


@pytest.fixture(scope="module")
def model():
    nodes = {
        "z2": Node(StandardNormal(2), conditional(IndependentNormal([2]), "x", "colour", "size")),
        "z1": Node(
            conditional(IndependentNormal([3]), "z2", "colour"),
            conditional(IndependentNormal([3]), "x", "z2"),
        ),
    }
    p_x = conditional(IndependentBernoulli(EVENT), "z1", "size")
    shapes = {name: SHAPES[name] for name in ("colour", "size")}
    return DirectedModel(nodes, p_x, condition=shapes, seed=0)


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "vae"
    model.export(folder, score_samples=5)
    options = Options(
        port=AUTO_PORT, rest_api_port=AUTO_PORT, model_name="vae", model_base_path=str(folder)
    )
    with Server(options) as running:
        yield running


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_the_client_answers_as_the_model_does(model, server, protocol):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (ROWS, *EVENT)).astype("float32")
    condition = {
        name: rng.normal(size=(ROWS, *SHAPES[name])).astype("float32")
        for name in ("colour", "size")
    }
    given = {"x": x, "condition": condition}
    seeds = [7_000_000 + row for row in range(ROWS)]
    rest, grpc = f"http://{server.rest_address}", server.grpc_address
    close = {"rtol": 1e-4, "atol": 1e-5}
    with Client({"grpc": grpc, "rest": rest}[protocol], max_rows=2) as client:
        rows = [{name: c[i : i + 1] for name, c in condition.items()} for i in range(ROWS)]
        samples = [
            model.sample(1, seed, condition=row)[0] for seed, row in zip(seeds, rows, strict=True)
        ]
        found = client.sample(ROWS, seed=7, **condition)
        np.testing.assert_allclose(found, samples, **close)
        encoded, moments = client.encode(x, **condition), model.moments(given)
        assert encoded.keys() == moments.keys() == {"z1", "z2"}
        for name, expected in moments.items():
            np.testing.assert_allclose(encoded[name].mean, expected.mean, **close)
            np.testing.assert_allclose(encoded[name].stddev, expected.stddev, **close)
        reconstructed = client.reconstruct(x, **condition)
        np.testing.assert_allclose(reconstructed, model.reconstruct(given), **close)
        scores = [
            model.log_prob({"x": x[i : i + 1], "condition": rows[i]}, 5, seed=seeds[i])[0]
            for i in range(ROWS)
        ]
        found = client.score(x, seed=7, **condition).log_prob
        np.testing.assert_allclose(found, scores, **close)
        z = {name: expected.mean.numpy() for name, expected in moments.items()}
        p_x = model.p_x({**z, **condition}).mean()
        np.testing.assert_allclose(client.decode(**z, **condition), p_x, **close)
        with pytest.raises(ServingError, match="takes the inputs colour, seed, size"):
            client.sample(ROWS, seed=7, colour=condition["colour"])
