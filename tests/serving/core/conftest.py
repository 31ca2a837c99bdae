"""Small SavedModels, made once, and managers that act at once."""

import shutil
import time
from pathlib import Path

import pytest
import tensorflow as tf

from vae_tf_serving.core.config.config_checks import single_model
from vae_tf_serving.core.models.manager import ModelManager
from vae_tf_serving.core.models.manager_options import ManagerOptions


def make_saved_model(path, scale):
    """`serving_default`: y = scale * x row by row; others are named after what is odd about them."""
    x = tf.TensorSpec([None, 2], tf.float32, "x")

    class Module(tf.Module):
        def __init__(self):
            self.scale = tf.Variable(float(scale))
            self.matrix = tf.Variable([[1.0], [1.0]])

        @tf.function(input_signature=[x])
        def double(self, x):
            return {"y": self.scale * x, "total": tf.reduce_sum(x, axis=range(1, 2))}

        @tf.function(input_signature=[x])
        def matmul(self, x):
            return {"y": self.scale * tf.matmul(x, self.matrix)}

        @tf.function(input_signature=[x])
        def mean(self, x):
            return {"mean": tf.reduce_mean(x)}

        @tf.function(input_signature=[x, tf.TensorSpec([None], tf.int64, "n")])
        def slow(self, x, n):
            steps = tf.reduce_max(n)
            loop = tf.while_loop(
                lambda i, _: i < steps,
                lambda i, a: (i + 1, tf.math.sin(a)),
                [tf.constant(0, tf.int64), x],
            )
            return {"y": loop[1]}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
        def classify(self, inputs):
            a = tf.io.parse_example(inputs, {"a": tf.io.FixedLenFeature([2], tf.float32)})["a"]
            labels = tf.tile(tf.constant([["left", "right"]]), [tf.shape(inputs)[0], 1])
            return {"classes": labels, "scores": self.scale * a}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
        def regress(self, inputs):
            a = tf.io.parse_example(inputs, {"a": tf.io.FixedLenFeature([2], tf.float32)})["a"]
            return {"outputs": self.scale * tf.reduce_sum(a, axis=1)}

    module = Module()
    signatures = {
        name: getattr(module, name) for name in ("matmul", "mean", "slow", "classify", "regress")
    }
    tf.saved_model.save(module, str(path), {"serving_default": module.double, **signatures})


@pytest.fixture(scope="session")
def saved_models(tmp_path_factory):
    """Scale (1 to 3) -> a SavedModel."""
    root = tmp_path_factory.mktemp("models")
    for scale in (1, 2, 3):
        make_saved_model(root / str(scale), scale)
    return {scale: root / str(scale) for scale in (1, 2, 3)}


@pytest.fixture
def base_path(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    return path


@pytest.fixture
def publish(saved_models, base_path):
    """publish(version, scale) makes a version appear whole."""

    def publish(version, scale=1, row_wise=False, base_path=base_path):
        hidden = Path(base_path).parent / f"{Path(base_path).name}-{version}-copying"
        shutil.copytree(saved_models[scale], hidden)
        if row_wise:
            (hidden / "assets.extra").mkdir()
            (hidden / "assets.extra" / "vae_tf.json").write_text('{"row_wise": true}')
        return hidden.rename(Path(base_path) / str(version))

    return publish


@pytest.fixture
def serve(base_path):
    """serve(config=..., **options) is a started manager, stopped at the end."""
    managers = []

    def serve(config=None, wait=True, **options):
        options = {
            "file_system_poll_wait_seconds": 0.02,
            "manage_interval": 0.005,
            "load_retry_interval_micros": 20_000,
            **options,
        }
        manager = ModelManager(
            config or single_model("m", str(base_path)), ManagerOptions(**options)
        )
        managers.append(manager)
        manager.start()
        if wait:
            manager.wait_until_available()
        return manager

    yield serve
    for manager in managers:
        manager.stop(timeout=10)


@pytest.fixture
def until():
    """until(condition) waits for it; the test fails if it does not come true."""

    def until(condition, seconds=20):
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, "the awaited condition did not come true"
            time.sleep(0.005)
        return value

    return until
