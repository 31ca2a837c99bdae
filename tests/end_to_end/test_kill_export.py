"""Kill -9 during exports: whatever has a version number is whole, and a server that watches never
sees anything else."""

import contextlib
import multiprocessing
import os
import random
import signal
import threading
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.serving.process.server_process import Process
from vae_tf_serving import Client

KILLS = 50


def _export_again_and_again(models, started):
    import vae_tf

    vae = vae_tf.presets.mlp((2, 2, 1), latent_dim=2, hidden=(4,), seed=0)
    started.set()
    while True:
        vae.export(models, score_samples=2)


class Watcher:
    """An embedded server that polls the folder every second, and a client that never stops asking."""

    def __init__(self, models):
        self.process = Process("--model_name=vae", f"--model_base_path={models}")
        self.samples, self.failures, self.statuses = [], [], set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self):
        try:
            with Client(self.process.grpc, max_retries=0, deadline=30) as client:
                while not self._stop.is_set():
                    self.samples.append(client.sample(2, seed=1))
                    self.statuses.update(client.status())
                    self._stop.wait(0.05)  # or exports would take much longer than the first
        except Exception as error:
            self.failures.append(error)

    def wait_for(self, version):
        """Until that version serves."""
        end = time.monotonic() + 60
        with Client(self.process.grpc) as client:
            while client.metadata().version != version:
                assert time.monotonic() < end
                time.sleep(0.2)

    def end(self):
        self._stop.set()
        self._thread.join(60)
        return self.process.end()


@pytest.mark.slow
def test_a_version_is_whole_whenever_its_export_is_killed(tmp_path):
    # The server of the processes has imported TensorFlow, and has run nothing of it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vae_tf.saved_models.export", "vae_tf.presets"])
    models, chance = tmp_path / "models", random.Random(0)

    def exporting():
        started = context.Event()
        process = context.Process(target=_export_again_and_again, args=(models, started))
        process.start()
        assert started.wait(120)
        return process

    with contextlib.ExitStack() as stack:
        process, start = exporting(), time.monotonic()
        while not (models / "1").exists():
            assert time.monotonic() < start + 120
            time.sleep(0.01)
        one_export = time.monotonic() - start
        os.kill(process.pid, signal.SIGKILL)
        watcher = Watcher(models)
        stack.callback(watcher.process.kill)
        for _ in range(KILLS):
            process = exporting()
            process.join(chance.uniform(0.0, 2.0 * one_export))
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        versions = [child for child in models.iterdir() if child.name.isdigit()]
        leftovers = [child for child in models.iterdir() if child.name.startswith(".")]
        watcher.wait_for(max(int(version.name) for version in versions))
        assert watcher.end() == 0
    assert leftovers  # or no kill has hit an export
    assert len(versions) + len(leftovers) == len(list(models.iterdir()))
    for version in versions:
        assert (version / "assets.extra" / "vae_tf.json").stat().st_size
        sample = tf.saved_model.load(str(version)).signatures["sample"]
        assert sample(seed=tf.constant([1], tf.int64))["x"].shape == (1, 2, 2, 1)
    assert watcher.failures == []
    assert {status.code for status in watcher.statuses} == {"OK"}
    assert len({status.version for status in watcher.statuses}) > 1  # it did follow
    np.testing.assert_allclose(
        watcher.samples, np.broadcast_to(watcher.samples[0], np.shape(watcher.samples)), atol=1e-6
    )
    logged = [line for line in watcher.process.log if " WARNING " in line or " ERROR " in line]
    assert logged == []
    assert not any("Traceback" in line for line in watcher.process.log)
