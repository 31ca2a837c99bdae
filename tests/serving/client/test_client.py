"""Both clients over both protocols, against a fake server that fails on command."""

import asyncio
import contextlib
import pickle
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tests.serving.client.fake import FakeLadder, FakeModel, serve
from vae_tf_serving import AsyncClient, Client, ServingError
from vae_tf_serving.client.error import invalid
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.rest_protocol import RestProtocol
from vae_tf_serving.client.signature import Signature, TensorInfo


class Awaited:
    """An `AsyncClient` with the methods of a `Client`, in an event loop of its own."""

    def __init__(self, address, **options):
        self._runner = asyncio.Runner()
        self._client = AsyncClient(address, **options)

    def __getattr__(self, name):
        async def call(*args, **kwargs):
            return await getattr(self._client, name)(*args, **kwargs)

        return lambda *args, **kwargs: self._runner.run(call(*args, **kwargs))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
        self._runner.close()


@pytest.fixture(params=["grpc", "rest"])
def protocol(request):
    return request.param


@pytest.fixture(params=[Client, Awaited], ids=["sync", "async"])
def connect(request, protocol):
    """`connect(model, **options)`: a client of a fake server."""
    with contextlib.ExitStack() as stack:

        def start(model, **options):
            address = stack.enter_context(serve(protocol, model))
            return stack.enter_context(request.param(address, **options))

        yield start


def fails(code, function, *args, **kwargs):
    """The message of the `ServingError`."""
    with pytest.raises(ServingError) as caught:
        function(*args, **kwargs)
    assert caught.value.code == code
    return caught.value.message


def test_rows_are_cut_and_joined_in_order(connect):
    model = FakeModel()
    client = connect(model, max_rows=4)
    seeds = 3_000_000 + np.arange(10)
    np.testing.assert_array_equal(client.sample(10, seed=3), model.sample(seeds)["x"])
    assert model.rows == [4, 4, 2]
    x = np.random.default_rng(0).normal(size=(5, 2, 2, 1)).astype("float32")
    mean, stddev = client.encode(x)
    np.testing.assert_array_equal(mean, model.encode(x)["mean"])
    np.testing.assert_array_equal(stddev, model.encode(x)["stddev"])
    log_prob, elbo = client.score(x, seed=-2)
    np.testing.assert_array_equal(elbo, np.float32(-2_000_000 + np.arange(5)))
    assert log_prob.dtype == np.float32
    np.testing.assert_array_equal(client.decode(mean), model.decode(mean)["x"])
    model.rows.clear()
    assert client.predict({"z": mean}, "decode")["x"].shape == x.shape
    assert model.rows == [5]  # not cut unless asked


def test_further_inputs_go_by_keyword(connect):
    model = FakeLadder()
    client = connect(model, max_rows=2)
    shift = np.float32([0.5, 1.5, 2.5])
    x = np.random.default_rng(0).normal(size=(3, 2, 2, 1)).astype("float32")
    seeds = 7_000_000 + np.arange(3)
    sampled = client.sample(3, seed=7, shift=shift)
    np.testing.assert_array_equal(sampled, model.sample(seeds, shift)["x"])
    assert model.rows == [2, 1]
    encoded, expected = client.encode(x, shift=shift), model.encode(x, shift)
    assert list(encoded) == ["z1", "z2"]
    for name in encoded:
        np.testing.assert_array_equal(encoded[name].mean, expected[f"{name}_mean"])
        np.testing.assert_array_equal(encoded[name].stddev, expected[f"{name}_stddev"])
    z = {name: encoded[name].mean for name in encoded}
    decoded = client.decode(**z, shift=shift.tolist())
    np.testing.assert_array_equal(decoded, model.decode(**z, shift=shift)["x"])
    shifted = x + shift[:, None, None, None]
    np.testing.assert_array_equal(client.reconstruct(x, shift=shift), shifted)
    np.testing.assert_array_equal(client.score(x, seed=7, shift=shift).log_prob, shift)


def test_missing_and_unknown_further_inputs_are_named(connect):
    client, plain = connect(FakeLadder()), connect(FakeModel())
    z = np.zeros((2, 3))
    for expected, function, arguments in [
        ("takes the inputs seed, shift; given were seed", client.sample, {"n": 2}),
        ("takes the inputs shift, z1, z2; given were z.", client.decode, {"z": z}),
        ("takes the inputs shift, z1, z2; given were none", client.decode, {}),
        ("rows; they have seed: 2, shift: 1", client.sample, {"n": 2, "shift": [0.0]}),
        ("takes the inputs seed; given were seed, shift", plain.sample, {"n": 2, "shift": [0.0]}),
    ]:
        assert expected in fails("INVALID_ARGUMENT", function, **arguments)


def test_messages_are_bounded_in_bytes_of_request_and_answer(connect, protocol):
    model = FakeModel()
    growth = {"grpc": 1, "rest": 4}[protocol]
    client = connect(model, max_message_bytes=growth * 2 * 4 * (4 + 3))  # two rows of x and z
    client.sample(5)
    assert model.rows == [2, 2, 1]
    model.rows.clear()
    tiny = connect(model, max_message_bytes=1)
    tiny.sample(2)
    assert model.rows == [1, 1]


def test_no_rows_are_not_sent(connect):
    model = FakeModel()
    client = connect(model)
    assert client.sample(0).shape == (0, 2, 2, 1)
    assert client.encode(np.zeros((0, 2, 2, 1))).mean.shape == (0, 3)
    assert model.rows == []


def test_seeds(connect):
    client = connect(FakeModel())
    assert not np.array_equal(client.sample(3), client.sample(3))
    own = client.sample(4, seed=[7_000_001, 7_000_000, 5, -1])
    np.testing.assert_array_equal(own[:2], client.sample(2, seed=7)[::-1])
    assert "expected an int or (4,)" in fails("INVALID_ARGUMENT", client.sample, 4, seed=[1, 2])
    fails("INVALID_ARGUMENT", client.sample, 4, seed=2**62)
    fails("INVALID_ARGUMENT", client.sample, 4, seed=0.5)
    fails("INVALID_ARGUMENT", client.sample, -1)


def test_unavailable_is_tried_again_and_nothing_else(connect):
    model = FakeModel()
    client = connect(model, max_retries=2)
    model.failures = ["UNAVAILABLE", "UNAVAILABLE"]
    assert client.sample(1).shape == (1, 2, 2, 1)
    assert len(model.rows) == 3
    model.rows.clear()
    model.failures = ["UNAVAILABLE"] * 9
    assert fails("UNAVAILABLE", client.sample, 1) == "told to fail"
    assert len(model.rows) == 3
    for code in ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "INTERNAL"):
        model.rows.clear()
        model.failures = [code]
        assert fails(code, client.sample, 1) == "told to fail"
        assert len(model.rows) == 1


def test_a_server_that_comes_up_late_is_found(protocol):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    stop = threading.Event()

    def late():
        time.sleep(0.5)
        with serve(protocol, FakeModel(), port):
            stop.wait()

    thread = threading.Thread(target=late)
    thread.start()
    address = {"grpc": "localhost:{}", "rest": "http://localhost:{}"}[protocol].format(port)
    with Client(address, max_retries=0) as hasty, Client(address, max_retries=9) as patient:
        fails("UNAVAILABLE", hasty.status)
        assert patient.sample(2).shape == (2, 2, 2, 1)
    stop.set()
    thread.join()


def test_deadline(connect):
    model = FakeModel()
    client = connect(model, deadline=0.4)
    client.sample(1)
    model.delay = 2.0
    start = time.monotonic()
    fails("DEADLINE_EXCEEDED", client.sample, 1)
    assert time.monotonic() - start < 1.8
    model.delay = 0.0
    model.failures = ["UNAVAILABLE"] * 99
    start = time.monotonic()
    with pytest.raises(ServingError) as caught:  # retries stay within the deadline as well
        client.sample(1)
    assert caught.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    assert time.monotonic() - start < 1.8


def test_errors_of_the_server(connect):
    client = connect(FakeModel(), model_name="nobody")
    assert fails("NOT_FOUND", client.status) == "Could not find any versions of model nobody"
    error = pickle.loads(pickle.dumps(invalid("Not so.")))
    assert (error.code, str(error)) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT: Not so.")


def test_wrong_inputs_are_one_sentence_and_not_sent(connect):
    model = FakeModel()
    client = connect(model)
    x = np.zeros((2, 2, 2, 1), "float32")
    for expected, function, *arguments in [
        ("the shape (2, 3, 2, 1), expected float32 (any, 2, 2, 1)", client.encode, x[:, [0, 0, 1]]),
        ("for one example, add the first axis", client.encode, x[0]),
        ("for one example, add the first axis", client.score, x[0]),
        ("8-bit", client.encode, x.astype("uint8")),
        ("ragged", client.decode, [[1.0], [1.0, 2.0]]),
        ("elements of type <U1", client.decode, [["a", "b", "c"]]),
        ("takes the inputs z; given were y", client.predict, {"y": x}, "decode"),
        ("takes the inputs seed, x; given were x", client.predict, {"x": x}, "score"),
        ("has no signature 'dream'; it has decode, echo", client.predict, {"x": x}, "dream"),
        ("elements of type float64", client.predict, {"seed": [0.5]}, "sample"),
        ("elements of type uint64", client.predict, {"seed": [2**63]}, "sample"),
    ]:
        message = fails("INVALID_ARGUMENT", function, *arguments)
        assert expected in message
        assert "\n" not in message
    with pytest.raises(ServingError, match="the same number of rows; they have seed: 1, x: 2"):
        client.predict({"x": x, "seed": [1]}, "score", cut=True)
    assert model.rows == []


def test_signatures_are_asked_for_once_and_again_when_nothing_fits(connect):
    model = FakeModel()
    client = connect(model)
    client.sample(2)
    client.decode(np.zeros((1, 3)))
    assert model.described == 1
    model.event = (4, 1, 1)  # another version took over
    assert client.encode(np.zeros((1, 4, 1, 1))).mean.shape == (1, 3)
    assert model.described == 2


class TestVersionsThatSwap:
    X = np.arange(24, dtype="float32").reshape(6, 2, 2, 1)

    def test_one_call_is_answered_by_one_version(self, connect):
        model = FakeModel()
        client = connect(model, max_rows=2)
        client.metadata()
        model.version = 2  # since it was asked for
        np.testing.assert_array_equal(client.encode(self.X).mean, model.encode(self.X)["mean"])
        assert model.versions == [2, 2, 2]
        model.versions.clear()
        model.swaps = 1
        np.testing.assert_array_equal(client.encode(self.X).mean, model.encode(self.X)["mean"])
        assert model.versions == [2, 2, 3, 3, 3]
        model.versions.clear()
        client.encode(self.X[:2])
        assert model.versions == [None]  # whichever is the newest

    def test_too_often(self, connect):
        model = FakeModel()
        client = connect(model, max_rows=2)
        model.swaps = 9
        fails("NOT_FOUND", client.encode, self.X)
        assert model.versions == [1, 1, 2, 2]

    def test_a_version_that_was_asked_for(self, connect):
        model = FakeModel()
        client = connect(model, max_rows=2, version=1)
        model.swaps = 1
        fails("NOT_FOUND", client.encode, self.X)
        assert model.versions == [1, 1]

    def test_other_outputs(self, connect, protocol):
        model = FakeModel()
        client = connect(model)
        for asked, model.lean in enumerate((False, True, False, True)):
            assert client.sample(2, seed=1).shape == (2, 2, 2, 1)
            assert model.described == (1 if protocol == "grpc" else asked + 1)


def test_rest_answers_that_do_not_fit():
    signature = Signature({}, {"x": TensorInfo("float32", None), "s": TensorInfo("string", None)})
    lone = Signature({}, {"x": TensorInfo("float32", None)})
    text = Signature({}, {"s": TensorInfo("string", None)})
    for answer, expected in [
        (b'{"outputs": [1.0]}', signature),
        (b'{"outputs": {"x": [1.0]}}', signature),
        (b'{"outputs": {"x": [1.0], "s": [1.0]}}', signature),
        (b'{"outputs": {"x": [1.0], "y": [2.0]}}', lone),
        (b'{"outputs": [[1.0], [2.0, 3.0]]}', lone),
        (b'{"outputs": ["a"]}', lone),
        (b'{"outputs": {"a": [1]}}', text),
    ]:
        with pytest.raises(ServingError, match="does not fit the outputs") as caught:
            RestProtocol(Options("http://localhost:1")).outputs(answer, expected)
        assert pickle.loads(pickle.dumps(caught.value)).code == "INTERNAL"


@pytest.mark.parametrize("kind", [Client, Awaited])
def test_a_body_that_cannot_be_decoded(kind):
    model = FakeModel()
    model.garbled = True
    with serve("rest", model) as address, kind(address) as client:
        fails("UNKNOWN", client.sample, 1)


def test_numbers_survive_the_journey(connect):
    model = FakeModel()
    client = connect(model)
    bits = np.random.default_rng(0).integers(0, 2**32, size=(500, 3), dtype=np.uint32)
    z = bits.view(np.float32)  # every kind of float: tiny, huge, infinite, NaN
    finite = z[np.isfinite(z).all(1)]
    for rows in (z, finite):
        outputs = client.predict({"z": rows}, "decode")
        np.testing.assert_array_equal(outputs["x"], model.decode(rows)["x"])
    seeds = np.array([2**63 - 1, -(2**63), 2**53 + 1])
    outputs = client.predict({"seed": seeds}, "sample")
    np.testing.assert_array_equal(outputs["z"], model.sample(seeds)["z"])
    assert outputs["z"].flags.writeable


def test_strings(connect):
    client = connect(FakeModel())
    outputs = client.predict({"text": [["grün", "a"], [b"b", b"c"]]}, "echo")
    assert outputs["text_bytes"].tolist() == [["grün".encode(), b"a"], [b"b", b"c"]]


def test_a_client_serves_threads_and_tasks(protocol):
    with serve(protocol, FakeModel()) as address:

        async def gather():
            async with AsyncClient(address, max_rows=2) as client:
                return await asyncio.gather(*(client.sample(5, seed=s) for s in range(20)))

        together = asyncio.run(gather())
        with Client(address) as client:
            apart = [client.sample(5, seed=s) for s in range(20)]
    np.testing.assert_array_equal(together, apart)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"address": "localhost"}, "has no port"),
        ({"version": 1, "label": "stable"}, "one of them"),
        ({"key": "key.pem"}, "both `key` and `cert`"),
        ({"deadline": 0}, "deadline is 0"),
        ({"max_rows": 0}, "max_rows is 0"),
        ({"address": "http://localhost:1", "ca": "ca.pem"}, "use https://"),
        ({"ca": __file__}, "holds no PEM certificate"),
        ({"address": "http://localhost:85o1"}, "is no URL: Invalid port"),
        ({"address": "http://localhost:99999"}, "no such port"),
        ({"address": "https://"}, "has no host"),
    ],
)
def test_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        Client(**{"address": "localhost:1", **arguments})


FORKS = """
import os, sys
import numpy as np
from vae_tf_serving import Client

def right(client, numbers):
    rows = [client.decode(np.full((1, 3), number, "f4")).ravel()[0] for number in numbers]
    return rows == list(numbers)

with Client(sys.argv[1], deadline=20) as client:
    assert right(client, [1.0])
    children = []
    for start in range(100, 500, 100):
        children.append(os.fork())
        if not children[-1]:
            os._exit(0 if right(client, np.arange(start, start + 30.0)) else 1)
    assert right(client, np.arange(30.0))
    statuses = [os.waitpid(pid, 0)[1] for pid in children]
print(statuses)
"""


def test_forked_children_get_their_own_answers(protocol):
    with serve(protocol, FakeModel()) as address:
        done = subprocess.run(
            [sys.executable, "-c", FORKS, address],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.stdout == "[0, 0, 0, 0]\n", done.stderr[-2000:]


def test_what_grpc_cannot_fork_says_so():
    with serve("grpc", FakeModel()) as address, Awaited(address) as client:
        client.decode(np.zeros((1, 3)))
        client._client._transport._pid = -1  # as in a child
        message = fails("FAILED_PRECONDITION", client.decode, np.zeros((1, 3)))
    assert "start processes by 'spawn', or use REST" in message
