"""Versions that come and go under load: no failed request, no mixed answer, memory flat.

Three models swap at the same time, for the three ways in which requests run: alone, batched because
the model is row-wise, and batched by `--enable_batching`.
"""

import os
import shutil
import threading
import time
from pathlib import Path

import grpc
import httpx
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.serving.process.server_process import Process

SECONDS, EVERY, CLIENTS = 120, 2, 32
MODELS = ("alone", "row_wise", "batched")
BATCHING = """
max_batch_size { value: 64 }
batch_timeout_micros { value: 1000 }
num_batch_threads { value: 2 }
allowed_batch_sizes: 16
allowed_batch_sizes: 64
"""


def shift(version):
    """Versions are copies of the three models that `small_models` writes, in turn."""
    return 2.0 + version % 3


def resident(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024  # MiB


class Load:
    """Clients in threads, half of them on each protocol; what went wrong is in `failures`."""

    def __init__(self, process, clients):
        self.process = process
        self.answers = [0] * clients
        self.versions = {name: set() for name in MODELS}
        self.failures = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._client, args=(number,)) for number in range(clients)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _client(self, number):
        try:
            over = self._over_grpc if number % 2 else self._over_rest
            # Rows that no other client sends, so that no answer passes for another's.
            rows = 10 * number + np.arange(5, dtype=np.float32)[:, None]
            over(number, MODELS[number // 2 % len(MODELS)], rows)
        except Exception as error:
            self.failures.append(repr(error))

    def _over_rest(self, number, model, rows):
        with httpx.Client(timeout=30) as client:
            url = f"{self.process.rest}/v1/models/{model}:predict"
            while not self._stop.is_set():
                response = client.post(url, json={"instances": rows.tolist()})
                response.raise_for_status()
                self._check(number, np.float32(response.json()["predictions"]) - rows / 2, None)

    def _over_grpc(self, number, model, rows):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.inputs["x"].CopyFrom(tf.make_tensor_proto(rows))
        with grpc.insecure_channel(self.process.grpc) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            while not self._stop.is_set():
                response = stub.Predict(request, timeout=30)
                version = response.model_spec.version.value
                self.versions[model].add(version)
                self._check(number, tf.make_ndarray(response.outputs["y"]) - rows / 2, version)

    def _check(self, number, shifts, version):
        assert shifts.shape == (5, 1)
        shifts = np.unique(shifts)
        assert len(shifts) == 1, shifts  # all rows of one version
        assert shifts[0] in ([shift(version)] if version else [2.0, 3.0, 4.0])
        self.answers[number] += 1


def publish(models, folder, version):
    """Written elsewhere, then renamed: a version appears whole or not at all."""
    for name in MODELS:
        hidden = folder / "next"
        shutil.copytree(models / "plus_two" / str(version % 3 + 1), hidden)
        if name == "row_wise":
            (hidden / "assets.extra").mkdir()
            (hidden / "assets.extra" / "vae_tf.json").write_text('{"row_wise": true}')
        if name == "batched":
            (hidden / "batching_params.pbtxt").write_text(BATCHING)
        (folder / name).mkdir(exist_ok=True)
        os.rename(hidden, folder / name / str(version))
        shutil.rmtree(folder / name / str(version - 3), ignore_errors=True)


def write_config(folder):
    listed = (
        f'config {{ name: "{name}" base_path: "{folder / name}" model_platform: "tensorflow" }}'
        for name in MODELS
    )
    path = folder / "models.config"
    path.write_text(f"model_config_list {{ {' '.join(listed)} }}")
    return path


@pytest.mark.slow
def test_many_swaps(embedded, tmp_path, model_folder):
    publish(model_folder, tmp_path, 1)
    # With parameters a model, one without them is not batched by the flag, so all three ways run.
    batching = "--enable_batching", "--enable_per_model_batching_parameters"
    process = Process(f"--model_config_file={write_config(tmp_path)}", *batching)
    memory = []
    try:
        with Load(process, CLIENTS) as load:
            started, version = time.monotonic(), 1
            while time.monotonic() - started < SECONDS and not load.failures:
                time.sleep(EVERY)
                version += 1
                publish(model_folder, tmp_path, version)
                memory.append(resident(process.popen.pid))
        assert process.end() == 0
    finally:
        process.kill()
    seen = {name: len(versions) for name, versions in load.versions.items()}
    print(f"answers {sum(load.answers)}, versions {seen}, MiB {memory}")
    assert load.failures == []
    assert min(load.answers) > 0
    assert not any("Traceback" in line for line in process.log)
    assert min(seen.values()) >= 0.5 * SECONDS / EVERY
    settled = memory[len(memory) // 4 : len(memory) // 2]
    assert max(memory[-5:]) < 1.1 * max(settled) + 20, memory
