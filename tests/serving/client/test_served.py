"""The clients against a real server: the protocol suite's, whichever that is."""

import asyncio

import numpy as np
import pytest

from tests.serving.small_models import LATENT, PIXELS
from vae_tf_serving import AsyncClient, Client, ServingError


@pytest.fixture(scope="module")
def clients(server):
    """`clients(protocol, **options)`."""
    made = []

    def connect(protocol, **options):
        address = getattr(server, protocol)
        if not address:
            pytest.skip(f"no --server-{protocol}")
        made.append(Client(address, **options))
        return made[-1]

    yield connect
    for client in made:
        client.close()


@pytest.fixture(params=["grpc", "rest"])
def protocol(request):
    return request.param


def test_both_protocols_agree_bit_for_bit_however_requests_are_cut(clients):
    grpc, rest = clients("grpc"), clients("rest", max_rows=3)
    x = np.random.default_rng(0).normal(size=(7, PIXELS)).astype("float32")
    z = np.random.default_rng(1).normal(size=(7, LATENT)).astype("float32")
    samples = grpc.sample(1, seed=7), rest.sample(1, seed=7)
    np.testing.assert_array_equal(*samples)
    raw = rest.predict({"seed": [7_000_000]}, "sample")  # what one sends with curl
    np.testing.assert_array_equal(raw["x"], samples[0])
    for name, *arguments in [
        ("sample", 7, 3),
        ("encode", x),
        ("decode", z),
        ("reconstruct", x),
        ("score", x, 5),
    ]:
        # Products of matrices round by the number of rows; the numbers themselves are exact.
        there, here = getattr(grpc, name)(*arguments), getattr(rest, name)(*arguments)
        np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-6)
        assert np.asarray(here).dtype == np.float32
        whole = getattr(clients("rest"), name)(*arguments)
        np.testing.assert_array_equal(there, whole)


def test_rows_go_where_they_belong(clients, protocol):
    cut, whole = clients(protocol, max_rows=2), clients(protocol)
    x = np.random.default_rng(0).normal(size=(9, PIXELS)).astype("float32")
    np.testing.assert_allclose(cut.encode(x), whole.encode(x), rtol=1e-5)
    scores = whole.score(x, seed=1)
    np.testing.assert_array_equal(scores.log_prob - scores.elbo > 0.5, np.arange(9) % 2 == 1)


def test_every_type(clients, protocol):
    client = clients(protocol, model_name="plus_two")
    inputs = {
        "f64": [0.1, -1e300],
        "i8": np.int8([-128, 127]),
        "i64": [2**63 - 1, -(2**63)],
        "u8": np.uint8([0, 255]),
        "u64": np.uint64([2**64 - 1, 0]),
        "flag": [True, False],
        "text": ["grün", 'q"\\'],
    }
    outputs = client.predict(inputs, "types")
    for name in ("f64", "i8", "i64", "u8", "u64", "flag"):
        np.testing.assert_array_equal(outputs[f"{name}_out"], inputs[name])
        assert (
            outputs[f"{name}_out"].dtype
            == client.metadata().signatures["types"].outputs[f"{name}_out"].array_dtype
        )
    assert outputs["text_bytes"].tolist() == ["grün".encode(), b'q"\\']
    odd = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, 3.4028235e38]
    np.testing.assert_array_equal(
        client.predict({"x": odd}, "echo")["y"].view("int32"), np.float32(odd).view("int32")
    )
    assert client.predict({"x": [1.0, 2.0]}, "scalar")["sum"].shape == ()
    text = client.predict({"s": "grün\0"}, "echo_text")["s_out"]
    assert (text.shape, text.item()) == ((), "grün\0".encode())


def test_versions_and_labels(clients, protocol):
    x = {"x": [[2.0]]}
    for options, expected in [
        ({}, 4.0),
        ({"version": 1}, 3.0),
        ({"label": "stable"}, 3.0),
        ({"label": "canary"}, 4.0),
    ]:
        client = clients(protocol, model_name="plus_two", **options)
        assert client.predict(x)["y"].tolist() == [[expected]]
    (two, one) = clients(protocol, model_name="plus_two").status()
    assert two == (2, "AVAILABLE", "OK", "")
    assert one.version == 1
    known = clients(protocol).metadata()
    assert (known.model_name, known.version) == ("vae", 1)
    assert str(known.signatures["score"].inputs["x"]) == f"float32 (any, {PIXELS})"


def test_metadata_is_the_same(clients):
    grpc, rest = (
        clients(protocol, model_name="plus_two").metadata() for protocol in ("grpc", "rest")
    )
    assert grpc.signatures["add"].optional == {"b"}
    for name, signature in grpc.signatures.items():
        assert signature.inputs == rest.signatures[name].inputs
        assert signature.outputs == rest.signatures[name].outputs


def test_errors(clients, protocol):
    def code(function, *arguments):
        with pytest.raises(ServingError) as caught:
            function(*arguments)
        assert caught.value.message
        return caught.value.code

    absent = clients(protocol, model_name="absent")
    assert code(absent.sample, 1) == code(absent.status) == "NOT_FOUND"
    assert code(clients(protocol, version=9).sample, 1) == "NOT_FOUND"
    assert code(clients(protocol, label="absent").sample, 1) == "INVALID_ARGUMENT"
    plus_two = clients(protocol, model_name="plus_two", deadline=0.3)
    plus_two.metadata()
    assert code(plus_two.predict, {"x": [[1.0]]}, "matmul") == "INVALID_ARGUMENT"
    assert code(plus_two.predict, {"n": 10_000_000}, "slow") == "DEADLINE_EXCEEDED"


def test_asyncio(server, protocol):
    address = getattr(server, protocol)
    if not address:
        pytest.skip(f"no --server-{protocol}")

    async def gather():
        async with AsyncClient(address, max_rows=4) as client:
            return await asyncio.gather(*(client.sample(6, seed=s) for s in range(30)))

    together = asyncio.run(gather())
    with Client(address) as client:
        alone = [client.sample(6, seed=s) for s in range(30)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)
