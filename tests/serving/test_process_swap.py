"""Versions that come and go under load: no failed request, no mixed answer, memory flat."""

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

from tests.serving.test_process import Process

SECONDS, EVERY, CLIENTS = 120, 2, 32
ROWS = np.arange(5, dtype=np.float32)[:, None]


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
        self.versions = set()
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
            (self._over_grpc if number % 2 else self._over_rest)(number)
        except Exception as error:
            self.failures.append(repr(error))

    def _over_rest(self, number):
        with httpx.Client(timeout=30) as client:
            url = f"{self.process.rest}/v1/models/m:predict"
            while not self._stop.is_set():
                response = client.post(url, json={"instances": ROWS.tolist()})
                response.raise_for_status()
                self._check(number, np.float32(response.json()["predictions"]), None)

    def _over_grpc(self, number):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "m"
        request.inputs["x"].CopyFrom(tf.make_tensor_proto(ROWS))
        with grpc.insecure_channel(self.process.grpc) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            while not self._stop.is_set():
                response = stub.Predict(request, timeout=30)
                version = response.model_spec.version.value
                self.versions.add(version)
                self._check(number, tf.make_ndarray(response.outputs["y"]), version)

    def _check(self, number, y, version):
        shifts = np.unique(y - ROWS / 2)
        assert len(shifts) == 1, y  # all rows of one version
        assert shifts[0] in ([shift(version)] if version else [2.0, 3.0, 4.0])
        self.answers[number] += 1


def publish(models, base, version):
    """Written elsewhere, then renamed: a version appears whole or not at all."""
    hidden = base.parent / "next"
    shutil.copytree(models / "plus_two" / str(version % 3 + 1), hidden)
    os.rename(hidden, base / str(version))


@pytest.mark.slow
def test_many_swaps(embedded, tmp_path, model_folder):
    base = tmp_path / "m"
    base.mkdir()
    publish(model_folder, base, 1)
    process = Process("--model_name=m", f"--model_base_path={base}")
    memory = []
    try:
        with Load(process, CLIENTS) as load:
            started, version = time.monotonic(), 1
            while time.monotonic() - started < SECONDS and not load.failures:
                time.sleep(EVERY)
                version += 1
                publish(model_folder, base, version)
                shutil.rmtree(base / str(version - 3), ignore_errors=True)
                memory.append(resident(process.popen.pid))
        assert process.end() == 0
    finally:
        process.kill()
    print(f"answers {sum(load.answers)}, versions {len(load.versions)}, MiB {memory}")
    assert load.failures == []
    assert min(load.answers) > 0
    assert not any("Traceback" in line for line in process.log)
    assert len(load.versions) >= 0.5 * SECONDS / EVERY
    settled = memory[len(memory) // 4 : len(memory) // 2]
    assert max(memory[-5:]) < 1.1 * max(settled) + 20, memory
