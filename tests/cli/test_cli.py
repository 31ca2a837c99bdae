import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from vae_tf.cli.app import app

DATA = ["train", "digits", "--binarize", "threshold", "--batch-size", "100"]
TRAIN = [*DATA, "--hidden", "16", "--latent-dim", "2", "--epochs", "2"]
COMMANDS = (
    "train", "evaluate", "report", "explore", "sample", "reconstruct", "export", "info", "demo"
)  # fmt: skip

# Runs the command line of sys.argv with TensorFlow, Keras and TFP out of reach.
BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "tensorflow_probability", "matplotlib"):
            raise ImportError(f"blocked: {name}")
sys.meta_path.insert(0, Block())
from vae_tf.cli.app import app
for arguments in (%s):
    try:
        app(arguments)
    except SystemExit as exit:
        assert exit.code in (None, 0), (arguments, exit.code)
"""


pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def run(tmp_path_factory, without_xla):
    folder = tmp_path_factory.mktemp("runs") / "run"
    result = call(*TRAIN, "--out", folder)
    assert result.exit_code == 0, result.output
    assert "epoch 2/2: elbo" in result.stdout
    assert "nats per example of digits (threshold binarisation)" in result.stdout
    return folder


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fails(code, *arguments):
    """The one line on stderr of a call that ends with `code`."""
    result = call(*arguments)
    assert result.exit_code == code, result.output
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1, result.stderr
    return lines[0]


def as_json(*arguments):
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_evaluate(run):
    text = call("evaluate", run, "--samples", 10).stdout
    for part in ("digits, threshold binarisation", "nats per example", "K=10", "kl"):
        assert part in text
    figures = as_json("evaluate", run, "--samples", 10)
    assert figures["binarize"] == "threshold"
    assert figures["examples"] == 297
    assert figures["elbo"] < figures["log_prob"] < 0
    assert "samples is an int of at least 1; got 0" in fails(2, "evaluate", run, "--samples", 0)
    assert figures["elbo"] == pytest.approx(figures["log_likelihood"] - figures["kl"], abs=1e-3)


def test_sample_and_reconstruct(run, tmp_path):
    for name in ("a.npy", "b.npy", "grid.png"):
        result = call("sample", run, "--n", 3, "--seed", 4, "--out", tmp_path / name)
        assert result.stdout.strip() == str(tmp_path / name)
    assert np.load(tmp_path / "a.npy").shape == (3, 8, 8, 1)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.load(tmp_path / "b.npy"))
    assert (tmp_path / "grid.png").stat().st_size > 1000
    call("reconstruct", run, "--n", 4, "--out", tmp_path / "c.npy")
    assert np.load(tmp_path / "c.npy").shape == (2, 4, 8, 8, 1)
    assert "expected .png" in fails(2, "sample", run, "--out", tmp_path / "grid.txt")


def test_export_and_info(run, tmp_path):
    assert call("export", run, "--to", tmp_path / "1").exit_code == 0
    assert (tmp_path / "1" / "saved_model.pb").is_file()
    assert "exists already" in fails(2, "export", run, "--to", tmp_path / "1")
    half = call("export", run, "--to", tmp_path, "--precision", "bfloat16", "--score-samples", 1)
    assert str(tmp_path / "2") in half.stdout
    assert "nats per example of digits (threshold binarisation)" in half.stdout
    assert "2 of 2 epochs" in call("info", run).stdout
    info = as_json("info", run)
    assert (info["epoch"], info["finished"], info["config"]["hidden"]) == (2, True, [16])


def test_account_of_a_table_and_columns_that_are_dropped(tmp_path):
    rows = "".join(f"{i},{i * 7},{i % 4},{i % 5}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(f",id,a,b\n{rows}")
    options = ["--hidden", 4, "--latent-dim", 2, "--epochs", 1, "--out", tmp_path / "run"]
    result = call("train", tmp_path / "t.csv", "--drop", "id", *options)
    said = (
        "  data: 1 file and 2 columns taken, skipped: '' (a first column without a name, an index), "
        "'id' (dropped as asked)"
    )
    assert said in result.stdout.splitlines()
    assert said in call("info", tmp_path / "run").stdout.splitlines()
    for found in (
        as_json("info", tmp_path / "run"),
        as_json("train", "--resume", "--out", tmp_path / "run"),
    ):
        assert (found["data"]["files"], found["data"]["columns"]) == (1, 2)
        assert found["data"]["skipped_columns"]["id"] == "dropped as asked"
        assert found["config"]["drop"] == ["id"]
    assert "has no column 'c'" in fails(
        2, "train", tmp_path / "t.csv", "--drop", "c", "--out", tmp_path / "other"
    )


def test_resume_takes_the_options_of_the_run(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    result = as_json("train", "--resume", "--out", folder, "--epochs", 3)
    assert (result["epoch"], result["config"]["hidden"]) == (3, [16])
    line = fails(2, "train", "--resume", "--out", folder, "--latent-dim", 5)
    assert "latent_dim 2 (now 5)" in line
    assert "holds a run already" in fails(2, *TRAIN, "--out", folder)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train"], "No dataset|Neither a dataset"),
        (["train", "digits", "--epochs", "0"], "epochs is an int of at least 1; got 0"),
        (["train", "digits", "--hidden", "big"], "such as 500"),
        (["train", "no-such-data"], "no-such-data"),
        (["train", "digits", "--preset", "nope"], "nope"),
        (["train", "digits", "--objective", "nope"], "nope"),
        (["info", "nowhere"], "no run in nowhere"),
        (["evaluate", "nowhere"], "no run in nowhere"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = fails(2, *arguments)
    assert line.startswith("error: ")
    assert any(part in line for part in said.split("|"))
    assert not os.listdir(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    line = fails(1, *TRAIN, "--out", tmp_path / "file" / "run")
    assert str(tmp_path / "file" / "run") in line


def test_another_backend(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    line = fails(2, "train", "digits")
    assert line.startswith("error: KERAS_BACKEND is 'jax'")


def test_help_imports_no_tensorflow():
    calls = ", ".join(repr([*command, "--help"]) for command in ([], *([c] for c in COMMANDS)))
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED % calls], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: ") == 1 + len(COMMANDS)


def test_info_imports_no_tensorflow(run):
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED % f"['info', {str(run)!r}],"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2 of 2 epochs" in done.stdout
