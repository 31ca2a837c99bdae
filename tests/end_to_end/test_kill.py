"""Training as a user runs it, stopped as users and machines stop it."""

import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from vae_tf.runs import open_run

EPOCHS = 12
TRAIN = (
    f"train digits --binarize dynamic --hidden 64 --latent-dim 2 --epochs {EPOCHS} --batch-size 10 "
    "--seed 3"
).split()

pytestmark = pytest.mark.slow


def start(*arguments):
    # A user's environment: the tests' own log level is quieter than the command line's.
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.Popen(
        [sys.executable, "-m", "vae_tf.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def finish(process):
    out, err = process.communicate(timeout=500)
    assert process.returncode == 0, err
    assert err == ""
    return out


def stop(process, folder, after_epoch, number):
    """Sends a signal a moment after the checkpoint of an epoch has appeared."""
    checkpoint = folder / "checkpoints" / f"epoch-{after_epoch:04d}.keras"
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    time.sleep(0.05)
    process.send_signal(number)
    return process.communicate(timeout=100)


def state(folder):
    vae = open_run(folder).model()
    variables = [*vae.variables, *vae.optimizer.variables]
    used = [variable for variable in variables if "seed_generator" not in variable.path]
    return [keras.ops.convert_to_numpy(variable) for variable in used]


def test_killed_and_interrupted_runs_end_with_the_same_weights(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert f"epoch {EPOCHS}/{EPOCHS}" in finish(start(*TRAIN, "--out", whole))

    process = start(*TRAIN, "--out", parts)
    stop(process, parts, 1, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    killed = open_run(parts)
    assert 1 <= killed.epoch < EPOCHS

    process = start("train", "--resume", "--out", parts)
    _, err = stop(process, parts, killed.epoch + 2, signal.SIGINT)
    assert process.returncode == 130
    interrupted = open_run(parts)
    assert killed.epoch + 2 <= interrupted.epoch < EPOCHS
    assert err.splitlines() == [
        f"interrupted: epoch {interrupted.epoch} of {EPOCHS} is safe in {parts}; "
        f"go on with `vae-tf train --resume --out {parts}`."
    ]
    assert not list(parts.rglob(".*"))

    out = finish(start(*TRAIN, "--resume", "--out", parts))
    assert f"epoch {interrupted.epoch + 1}/{EPOCHS}" in out
    for value, expected in zip(state(parts), state(whole), strict=True):
        np.testing.assert_array_equal(value, expected)
    assert open_run(parts).history == open_run(whole).history
