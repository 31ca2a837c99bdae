import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from vae_tf_serving.core.batching.options import BatchingOptions
from vae_tf_serving.core.execution.servable import ServableOptions
from vae_tf_serving.core.models.warm_up import FILE
from vae_tf_serving.core.observer import Observer


def predict_log(signature="serving_default", x=((1.0, 2.0),), name="x"):
    log = PredictionLog()
    request = log.predict_log.request
    request.model_spec.name = "somebody else"
    request.model_spec.version.value = 99
    request.model_spec.signature_name = signature
    request.inputs[name].CopyFrom(tf.make_tensor_proto(np.float32(x)))
    return log


def classify_log(kind="classify"):
    log = PredictionLog()
    request = getattr(log, f"{kind}_log").request
    request.model_spec.signature_name = kind
    example = request.input.example_list.examples.add()
    example.features.feature["a"].float_list.value.extend([1, 2])
    return log


def multi_inference_log():
    log = PredictionLog()
    request = log.multi_inference_log.request
    for kind in ("classify", "regress"):
        task = request.tasks.add(method_name=f"tensorflow/serving/{kind}")
        task.model_spec.name = "m"
        task.model_spec.signature_name = kind
    example = request.input.example_list.examples.add()
    example.features.feature["a"].float_list.value.extend([1, 2])
    return log


def write(version, *logs):
    file = version / FILE
    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for log in logs:
            writer.write(log if isinstance(log, bytes) else log.SerializeToString())
    return file


@pytest.fixture
def load(publish, base_path, serve, until):
    """load(logs or raw bytes of the file) is the status of the version that has them."""

    def load(*logs, raw=None, **options):
        publish(1)
        manager = serve(max_num_load_retries=0, **options)
        hidden = publish("2-hidden")
        file = write(hidden, *logs)
        if raw is not None:
            file.write_bytes(raw)
        hidden.rename(base_path / "2")
        until(
            lambda: (
                {status.version: status.state for status in manager.status("m")}.get(2) in (30, 50)
            )
        )
        return manager.status("m", 2)[0]

    return load


class Counter(Observer):
    def __init__(self):
        self.warm, self.runs = [], []

    def warmed_up(self, path, records, seconds, status):
        self.warm.append((records, status))

    def ran(self, name, api, seconds):
        self.runs.append(api)


def test_every_kind_of_request_is_run(load):
    logs = [predict_log(), classify_log(), classify_log("regress"), multi_inference_log()]
    counter = Counter()
    status = load(*logs, PredictionLog(), observer=counter, num_request_iterations_for_warmup=2)
    assert status.state == 30
    assert counter.warm == [(5, "OK")]
    assert counter.runs == [
        api for api in ("Predict", "Classify", "Regress", "MultiInference") for _ in range(2)
    ]


@pytest.mark.parametrize(
    ("logs", "code", "message"),
    [
        ([predict_log("none")], 9, 'Serving signature key "none" not found.'),
        ([predict_log("matmul", [[1.0]])], 3, "Matrix size-incompatible"),
        ([predict_log(name="q")], 3, "input size does not match signature|not found in request"),
        ([b"\xff\xff"], 3, "Failed to parse warmup record: "),
        ([PredictionLog(session_run_log={})], 12, "Unsupported log_type for warmup: 5"),
        ([PredictionLog()] * 1001, 3, r"Number of warmup records exceeds the maximum \(1000\) at "),
    ],
)
def test_what_fails_a_load(load, logs, code, message):
    status = load(*logs)
    assert (status.state, status.status.error_code) == (50, code)
    import re

    assert re.search(message, status.status.error_message)


def test_what_is_no_tfrecord(load):
    status = load(raw=b"this is no TFRecord, is it?")
    assert status.status.error_code == 15
    assert status.status.error_message.endswith(
        ". Please verify your warmup data is in TFRecord format."
    )


def test_an_empty_file_is_fine_and_warm_up_can_be_left_out(load):
    assert load(raw=b"").state == 30


def test_warm_up_can_be_left_out(load):
    assert load(predict_log("none"), enable_model_warmup=False).state == 30


def test_warm_up_takes_the_way_of_requests(load):
    status = load(predict_log("mean"), servable=ServableOptions(batching=BatchingOptions()))
    assert status.status.error_message == "Batched output tensor has 0 dimensions"
