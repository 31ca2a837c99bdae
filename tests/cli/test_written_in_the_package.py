"""An objective and a preset that are written into the package, and nothing else is edited."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import vae_tf

OBJECTIVE = '''
import keras

from vae_tf.objectives.elbo import ELBO
from vae_tf.utils.registry import OBJECTIVES


@OBJECTIVES.register("capacity")
@keras.saving.register_keras_serializable(package="vae_tf")
class Capacity(ELBO):
    """The ELBO, whose KL is free up to a capacity.

    Args:
        nats: float. C, in [0, 100]. Defaults to 0.5.
    """

    def __init__(self, nats: float = 0.5) -> None:
        super().__init__(free_bits=nats)
        self.nats = nats

    def get_config(self):
        return {"nats": self.nats}
'''
PRESET = '''
from vae_tf.presets.mlp import mlp
from vae_tf.utils.registry import PRESETS


@PRESETS.register("narrow")
def narrow(event_shape, latent_dim=20, *, width: int = 16, **others):
    """One narrow hidden layer.

    Args:
        width: int. Its units. Defaults to 16.
    """
    return mlp(event_shape, latent_dim, hidden=width, **others)
'''
BLOCKED = (
    "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; "
    "import vae_tf.cli; vae_tf.cli.main()"
)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder with a copy of the package, in which they are."""
    folder = tmp_path_factory.mktemp("package")
    root = shutil.copytree(Path(vae_tf.__file__).parent, folder / "vae_tf")
    for kind, name, text in (("objectives", "Capacity", OBJECTIVE), ("presets", "narrow", PRESET)):
        (root / kind / f"{name.lower()}.py").write_text(text)
        with (root / kind / "__init__.py").open("a") as file:
            file.write(f"\nfrom vae_tf.{kind}.{name.lower()} import {name} as {name}\n")
    return folder


def run(package, *arguments):
    paths = [str(package), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=package, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_help_shows_them_without_tensorflow(package):
    done = run(package, "-c", BLOCKED, "train", "--help")
    assert done.returncode == 0, done.stderr
    for part in (
        "One of conv, conv-deep, mlp, narrow.",
        "One of capacity, elbo, iwae, beta_tc.",
        "C, in [0, 100]. [default: (capacity 0.5)]",
        "Its units. [default: (narrow 16)]",
    ):
        assert part in done.stdout


def test_they_train(package):
    own = ["--preset", "narrow", "--width", 3, "--objective", "capacity", "--nats", 0.25]
    line = ["-m", "vae_tf.cli", "train", "digits", "--epochs", 1, "--batch-size", 300, *own]
    done = run(package, *line, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "width 3" in done.stdout
    assert "nats 0.25" in done.stdout


def test_they_refuse_without_tensorflow(package):
    line = "from vae_tf.runs import config; config.TrainingConfig(objective='capacity', beta=2.0)"
    assert run(package, "-c", line).stderr.endswith(
        "InputError: beta is 2.0, but the objective 'capacity' takes none; leave it out, or choose "
        "elbo or beta_tc.\n"
    )
