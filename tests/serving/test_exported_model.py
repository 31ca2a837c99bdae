"""What `VAE.export` writes, served: every signature, alone and among the rows of 64 clients."""

import contextlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
import tensorflow as tf

import vae_tf
from vae_tf_serving import Client
from vae_tf_serving.server import Server
from vae_tf_serving.startup.flags import AUTO_PORT, Options

EVENT, LATENT, ROWS, CLIENTS = (4, 3, 1), 3, 40, 64
SIGNATURES = ("encode", "decode", "sample", "reconstruct", "score", "serving_default")
PAGE = "/monitoring/prometheus/metrics"
BATCHING = """
max_batch_size { value: 32 }
batch_timeout_micros { value: 5000 }
max_enqueued_batches { value: 1000 }
num_batch_threads { value: 2 }
allowed_batch_sizes: 2
allowed_batch_sizes: 12
allowed_batch_sizes: 32
"""


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    """Folder of an exported version."""
    vae = vae_tf.presets.mlp(EVENT, latent_dim=LATENT, hidden=(8,), seed=3)
    return vae.export(tmp_path_factory.mktemp("models") / "vae", score_samples=5)


@pytest.fixture(scope="module")
def in_process(version):
    """`in_process(signature, inputs)`, by TensorFlow itself."""
    loaded = tf.saved_model.load(str(version))

    def run(name, inputs):
        outputs = loaded.signatures[name](**{k: tf.constant(v) for k, v in inputs.items()})
        return {key: value.numpy() for key, value in outputs.items()}

    return run


@pytest.fixture(scope="module")
def rows():
    """Signature -> its inputs, `ROWS` rows."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(ROWS, *EVENT)).astype(np.float32)
    z = rng.normal(size=(ROWS, LATENT)).astype(np.float32)
    seed = rng.integers(-(2**63), 2**63 - 1, ROWS, dtype=np.int64)
    inputs = {"encode": {"x": x}, "decode": {"z": z}, "sample": {"seed": seed}}
    inputs |= {"reconstruct": {"x": x}, "serving_default": {"x": x}}
    return inputs | {"score": {"x": x, "seed": seed}}


@pytest.fixture(scope="module")
def alone(in_process, rows):
    """Signature -> its outputs, each row computed by itself."""
    answers = {}
    for name, inputs in rows.items():
        parts = [in_process(name, part(inputs, [row])) for row in range(ROWS)]
        answers[name] = {key: np.concatenate([p[key] for p in parts]) for key in parts[0]}
    return answers


@pytest.fixture(scope="module", params=["--enable_batching", "as it is"])
def served(request, version, tmp_path_factory):
    """A server of the export: with TensorFlow Serving's batching and padding, and by default."""
    folder = tmp_path_factory.mktemp("config")
    (folder / "batching").write_text(BATCHING)
    (folder / "monitoring").write_text(f'prometheus_config {{ enable: true path: "{PAGE}" }}')
    batching = request.param == "--enable_batching"
    options = Options(
        port=AUTO_PORT,
        rest_api_port=AUTO_PORT,
        model_name="vae",
        model_base_path=str(version.parent),
        monitoring_config_file=str(folder / "monitoring"),
        enable_batching=batching,
        batching_parameters_file=str(folder / "batching") if batching else "",
    )
    with Server(options) as server:
        yield server, batching


def part(arrays, chosen):
    return {name: array[chosen] for name, array in arrays.items()}


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        if name == "z":  # a draw
            np.testing.assert_array_equal(found[name], array)
        else:
            np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5)


def sums(server):
    """Batches that ran, and rows of padding in them."""
    page = httpx.get(f"http://{server.rest_address}{PAGE}").text
    total = {"wrapped_run_count": 0.0, "padding_size_sum": 0.0}
    for name in total:
        found = re.findall(rf"batching_session:{name}{{.*}} (\S+)", page)
        total[name] = sum(map(float, found))
    return list(total.values())


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_signature_answers_as_in_process(served, in_process, rows, name):
    server, _ = served
    inputs = part(rows[name], slice(0, 5))
    expected = in_process(name, inputs)
    for address in (server.grpc_address, f"http://{server.rest_address}"):
        with Client(address) as client:
            same(client.predict(inputs, name), expected)
    lists = {key: array.tolist() for key, array in inputs.items()}
    instances = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    if len(lists) == 1:
        (instances,) = lists.values()
    response = httpx.post(
        f"http://{server.rest_address}/v1/models/vae:predict",
        json={"signature_name": name, "instances": instances},
    )
    found = response.json()["predictions"]
    keys = list(expected)
    columns = {k: [row[k] if len(keys) > 1 else row for row in found] for k in keys}
    same({k: np.array(columns[k], expected[k].dtype) for k in keys}, expected)


def test_rows_of_64_clients_are_what_they_are_alone(served, rows, alone):
    server, batching = served
    addresses = [server.grpc_address, f"http://{server.rest_address}"]
    start = threading.Barrier(CLIENTS)
    requests_of_a_client = 2 * len(SIGNATURES)

    def client_of(number):
        chance = np.random.default_rng(number)
        with contextlib.closing(Client(addresses[number % 2])) as client:
            client.metadata()
            start.wait(60)
            for turn in range(requests_of_a_client):
                name = SIGNATURES[turn // 2]
                chosen = chance.integers(0, ROWS, chance.integers(1, 6))
                same(client.predict(part(rows[name], chosen), name), part(alone[name], chosen))

    batches, padding = sums(server)
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(client_of, range(CLIENTS)))
    ran, padded = sums(server)
    assert 0 < ran - batches < CLIENTS * requests_of_a_client  # they did share batches
    assert (padded > padding) == batching
