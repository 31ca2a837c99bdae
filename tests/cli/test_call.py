import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.serving.client.fake import FakeLadder, FakeModel, serve
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


def test_further_inputs(tmp_path):
    x, shift = np.random.default_rng(0).uniform(size=(2, 2, 2, 1)), np.float32([0.5, 1.5])
    saved = {name: tmp_path / f"{name}.npy" for name in ("x", "shift", "z1", "z2")}
    np.save(saved["x"], x)
    np.save(saved["shift"], shift)
    shift_option = ["--input", f"shift={saved['shift']}"]
    out = tmp_path / "out.npz"

    def x_of(*arguments):
        succeeds(*arguments, *shift_option, "--out", out, "--address", address)
        return np.load(out)["x"]

    with serve("grpc", FakeLadder()) as address:
        x_of_seed = FakeLadder().sample(7_000_000 + np.arange(2), shift)["x"]
        np.testing.assert_array_equal(x_of("sample", "--n", 2, "--seed", 7), x_of_seed)
        x_of_x = x_of("reconstruct", "--in", saved["x"])
        np.testing.assert_allclose(x_of_x, x + shift[:, None, None, None], rtol=1e-6)
        at = [*shift_option, "--address", address]
        succeeds("score", "--in", saved["x"], "--out", out, *at)
        np.testing.assert_array_equal(np.load(out)["log_prob"], shift)
        succeeds("encode", "--in", saved["x"], "--out", out, *at)
        encoded = dict(np.load(out))
        assert encoded.keys() == {"z1_mean", "z1_stddev", "z2_mean", "z2_stddev"}
        z = {name: encoded[f"{name}_mean"] for name in ("z1", "z2")}
        for name in z:
            np.save(saved[name], z[name])
        latents = [f"--input={name}={saved[name]}" for name in z]
        x_of_z = FakeLadder().decode(**z, shift=shift)["x"]
        np.testing.assert_array_equal(x_of("decode", *latents), x_of_z)

        assert "takes NAME=FILE.npy; got 'shift'" in fails(2, "sample", "--input", "shift", *at)
        assert "another shift already" in fails(2, "sample", *shift_option, *at)
        assert "another x already" in fails(
            2, "encode", "--in", saved["x"], "--input", f"x={saved['x']}", *at
        )
        assert "takes the inputs seed, shift" in fails(2, "sample", "--address", address)


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
