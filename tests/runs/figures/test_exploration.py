import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from vae_tf.cli.explore import explore
from vae_tf.runs import TrainingConfig, train

CONFIG = TrainingConfig(
    dataset="digits", binarize="threshold", latent_dim=2, hidden=(16,), epochs=1, batch_size=100
)


pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def run(tmp_path_factory, without_xla):
    return train(CONFIG, tmp_path_factory.mktemp("runs") / "run", verbose=0).folder


@pytest.fixture
def call():
    app = typer.Typer()
    app.add_typer(explore)

    @app.command()
    def other() -> None:
        """A second command, so that `explore` stays a group."""

    return lambda *arguments: CliRunner().invoke(app, ["explore", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (["interpolate", "--pairs", 2, "--steps", 4], (2, 4, 8, 8, 1)),
        (["interpolate", "--between", 3, 17, "--steps", 4], (1, 4, 8, 8, 1)),
        (["traverse", "--steps", 3], (2, 3, 8, 8, 1)),
        (["traverse", "--example", 2, "--steps", 3], (2, 3, 8, 8, 1)),
        (["variations", "--n", 3, "--seed", 1], (4, 8, 8, 1)),
        (["directions", "--label", 3, "--n", 2], (2, 5, 8, 8, 1)),
        (["directions", "--label", 3, "--n", 2, "--method", "classifier"], (2, 5, 8, 8, 1)),
        (["nearest", "--n", 2, "--k", 3, "--seed", 1], (2, 4, 8, 8, 1)),
        (["denoise", "--n", 3], (2, 3, 8, 8, 1)),
        (["compress", "--n", 3], (2, 3, 8, 8, 1)),
    ],
)
def test_numbers_and_a_picture(run, call, tmp_path, arguments, shape):
    name, *options = arguments
    for suffix in ("npy", "png"):
        out = tmp_path / f"out.{suffix}"
        result = call(name, run, *options, "--out", out)
        assert result.exit_code == 0, result.output
        assert result.stdout.strip() == str(out)
        assert out.stat().st_size > 500
    x = np.load(tmp_path / "out.npy")
    assert x.shape == shape
    assert np.isfinite(x).all()


def test_a_search_draws_the_best_first(run, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores_of_a_test.py").write_text("def ink(x):\n    return x.sum(axis=(1, 2, 3))\n")
    options = ["--score", "scores_of_a_test:ink", "--steps", 2, "--initial", 3, "--seed", 1]
    result = call("optimize", run, *options, "--out", "best.npy")
    assert result.exit_code == 0, result.output
    ink = np.load("best.npy").sum(axis=(1, 2, 3))
    assert ink.shape == (5,)
    assert (np.diff(ink) <= 1e-4).all()
    assert f"best score {ink[0]:.4g}" in result.stderr


def test_a_run_without_a_model(call, tmp_path):
    (tmp_path / "config.json").write_text(CONFIG.to_json())
    result = call("traverse", tmp_path)
    assert result.exit_code == 2
    assert "no finished epoch" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["interpolate", "--method", "cubic"], "linear, spherical"),
        (["traverse", "--example", 5000], "has 297 examples"),
        (["traverse", "--steps", 0], "steps is an int of at least 1; got 0"),
        (["interpolate", "--between", 0, 5000], "has 297 examples"),
        (["optimize", "--score", "nowhere:f"], "There is no function 'nowhere:f'"),
        (["optimize", "--score", "math"], "There is no function 'math'"),
        (["directions", "--label", 12], "No test example has label 12"),
        (["nearest", "--k", 1000], "has 297 examples"),
        (["denoise", "--noise", -1], "at least 0"),
        (["variations", "--out", "x.txt"], "expected .png"),
    ],
)
def test_bad_input_is_one_line(run, call, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = call(arguments[0], run, *arguments[1:])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
