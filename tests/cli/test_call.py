import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.serving.client.fake import FakeModel, serve
from vae_tf.cli.call import call


@pytest.fixture(params=["grpc", "rest"])
def address(request):
    with serve(request.param, FakeModel()) as address:
        yield address


def run(*arguments):
    return CliRunner().invoke(call, [str(argument) for argument in arguments])


def succeeds(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(code, *arguments):
    """The one line on stderr."""
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert not result.stdout
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_every_signature(address, tmp_path):
    at = ["--address", address]
    x, z = tmp_path / "x.npy", tmp_path / "z.npy"
    np.save(x, np.random.default_rng(0).uniform(size=(5, 2, 2, 1)))
    succeeds("sample", "--n", 5, "--seed", 7, "--out", tmp_path / "grid.png", *at)
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")
    succeeds("sample", "--n", 5, "--seed", 7, "--out", tmp_path / "new" / "s.npy", *at)
    seeds = 7_000_000 + np.arange(5)
    sampled = np.load(tmp_path / "new" / "s.npy")
    np.testing.assert_array_equal(sampled, FakeModel().sample(seeds)["x"])
    succeeds("encode", "--in", x, "--out", tmp_path / "e.npz", *at)
    with np.load(tmp_path / "e.npz") as encoded:
        np.testing.assert_allclose(encoded["stddev"], np.exp(encoded["mean"]), rtol=1e-6)
        np.save(z, encoded["mean"])
    succeeds("decode", "--in", z, "--out", tmp_path / "d.npy", *at)
    assert np.load(tmp_path / "d.npy").shape == (5, 2, 2, 1)
    printed = succeeds("score", "--in", x, "--seed", 0, "--out", tmp_path / "n.npz", *at)
    assert "elbo 2.0000 nats" in printed
    assert "sample: seed int64 (any) -> x float32" in succeeds("metadata", *at)


def test_bad_use_is_one_line(address, tmp_path):
    at = ["--address", address]
    np.save(tmp_path / "x.npy", np.zeros((3, 3)))
    (tmp_path / "text.npy").write_text("no array")
    assert "Could not find any versions of model vae" in fails(2, "status", *at)
    assert "expected float32 (any, 2, 2, 1)" in fails(
        2, "encode", "--in", tmp_path / "x.npy", "--out", tmp_path / "y.npz", *at
    )
    assert "expected .npz" in fails(2, "encode", "--in", tmp_path / "x.npy", "--out", "y.npy", *at)
    assert "is no .npy file" in fails(2, "decode", "--in", tmp_path / "text.npy", *at)
    assert "No such file" in fails(1, "decode", "--in", tmp_path / "absent.npy", *at)
    assert "has no port" in fails(2, "status", "--address", "localhost")
    assert "Invalid port: '85o1'" in fails(2, "status", "--address", "http://localhost:85o1")
    assert "`vae-tf serve`" in fails(1, "status", "--address", "localhost:1", "--deadline", "0.1")
    assert list(tmp_path.glob("y*")) == []


def test_without_the_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "tenacity", None)
    for name in list(sys.modules):
        if name.startswith("vae_tf_serving.client"):
            monkeypatch.delitem(sys.modules, name)
    assert "pip install 'vae-tf[serve]'" in fails(2, "status")
