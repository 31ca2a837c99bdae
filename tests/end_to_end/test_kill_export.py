"""Kill -9 during exports: whatever has a version number is whole."""

import multiprocessing
import os
import random
import signal
import time

import pytest
import tensorflow as tf

KILLS = 50


def _export_again_and_again(models, started):
    import vae_tf

    vae = vae_tf.presets.mlp((2, 2, 1), latent_dim=2, hidden=(4,), seed=0)
    started.set()
    while True:
        vae.export(models, score_samples=2)


@pytest.mark.slow
def test_a_version_is_whole_whenever_its_export_is_killed(tmp_path):
    # The server of the processes has imported TensorFlow, and has run nothing of it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vae_tf.export", "vae_tf.presets"])
    models, chance = tmp_path / "models", random.Random(0)

    def exporting():
        started = context.Event()
        process = context.Process(target=_export_again_and_again, args=(models, started))
        process.start()
        assert started.wait(120)
        return process

    process, start = exporting(), time.monotonic()
    while not (models / "1").exists():
        assert time.monotonic() < start + 120
        time.sleep(0.01)
    one_export = time.monotonic() - start
    os.kill(process.pid, signal.SIGKILL)
    for _ in range(KILLS):
        process = exporting()
        process.join(chance.uniform(0.0, 1.2 * one_export))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    versions = [child for child in models.iterdir() if child.name.isdigit()]
    leftovers = [child for child in models.iterdir() if child.name.startswith(".")]
    assert versions
    assert leftovers  # or no kill has hit an export
    assert len(versions) + len(leftovers) == len(list(models.iterdir()))
    for version in versions:
        assert (version / "assets.extra" / "vae_tf.json").stat().st_size
        sample = tf.saved_model.load(str(version)).signatures["sample"]
        assert sample(seed=tf.constant([1], tf.int64))["x"].shape == (1, 2, 2, 1)
