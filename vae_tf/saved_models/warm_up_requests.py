"""Warm-up requests in the format of TensorFlow Serving."""

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

from vae_tf.saved_models.signatures import SignatureTable

FILE_NAME = "tf_serving_warmup_requests"


def write_warm_up_requests(table: SignatureTable, folder: Path) -> None:
    """Writes a request of one row and one of eight for each signature, as a TFRecord.

    Args:
        table: The signatures of the model.
        folder: The version's `assets.extra`.
    """
    with tf.io.TFRecordWriter(str(folder / FILE_NAME)) as writer:
        for rows in (1, 8):
            for signature, inputs in table.examples(rows).items():
                request = PredictRequest()
                request.model_spec.signature_name = signature
                for name, value in inputs.items():
                    request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
                log = PredictionLog(predict_log=PredictLog(request=request))
                writer.write(log.SerializeToString())
