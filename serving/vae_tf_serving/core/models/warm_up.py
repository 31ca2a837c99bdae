"""Runs the warm-up requests of a SavedModel."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

# `tf.data` would start the eager runtime, with threads for every core.
from tensorflow.python.lib.io._pywrap_record_io import RecordIterator
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from vae_tf_serving.core.execution.servable import Servable
from vae_tf_serving.core.execution.session import status_error
from vae_tf_serving.core.requests.classify import classify, multi_inference, regress
from vae_tf_serving.core.requests.predict import check_input_names, find_signature, predict
from vae_tf_serving.status import Code, StatusError

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MAX_RECORDS = 1000


def warm_up(servable: Servable, iterations: int = 1) -> int:
    """Runs the requests of `assets.extra/tf_serving_warmup_requests`, if the file exists.

    The records' model names and versions are ignored. Requests are batched as those of clients are.

    Args:
        servable: The model.
        iterations: Runs of each request (`--num_request_iterations_for_warmup`).

    Returns:
        The number of records.

    Raises:
        StatusError: The file is no TFRecord (DATA_LOSS), it has more than 1000 records, or a request
            failed.
    """
    path = servable.path / FILE
    if not path.is_file():
        return 0
    started = time.monotonic()
    count, status = 0, "OK"
    try:
        for record in _records(path):
            _run_record(servable, record, path, iterations)
            count += 1
            if count > MAX_RECORDS:
                raise StatusError(
                    Code.INVALID_ARGUMENT,
                    f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {path}",
                )
    except StatusError as error:
        status = str(error)
        raise
    finally:
        seconds = time.monotonic() - started
        servable.observer.warmed_up(str(servable.path), count, seconds, status)
    return count


def _records(path: Path) -> Iterator[bytes]:
    try:
        yield from RecordIterator(str(path), "")
    except tf.errors.DataLossError as error:
        raise StatusError(
            Code.DATA_LOSS,
            f"{error.message}. Please verify your warmup data is in TFRecord format.",
        ) from error
    except tf.errors.OpError as error:
        raise status_error(error) from error


def _run_record(servable: Servable, record: bytes, path: Path, iterations: int) -> None:
    try:
        log = PredictionLog.FromString(record)
    except DecodeError as error:
        text = record[:200].decode("utf-8", "replace")
        raise StatusError(
            Code.INVALID_ARGUMENT, f"Failed to parse warmup record: {text} from {path}"
        ) from error
    for _ in range(max(1, iterations)):
        _run_log(servable, log)


def _run_log(servable: Servable, log: Any) -> None:
    kind = log.WhichOneof("log_type")
    if kind is None:
        return
    if kind == "predict_log":
        _run_predict(servable, log.predict_log.request)
    elif kind == "classify_log":
        classify(servable, log.classify_log.request).result()
    elif kind == "regress_log":
        regress(servable, log.regress_log.request).result()
    elif kind == "multi_inference_log":
        multi_inference(servable, log.multi_inference_log.request).result()
    else:
        number = PredictionLog.DESCRIPTOR.fields_by_name[kind].number
        raise StatusError(Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {number}")


def _run_predict(servable: Servable, request: Any) -> None:
    key = request.model_spec.signature_name
    check_input_names(find_signature(servable, key), request.inputs.keys())
    inputs = {}
    for alias, proto in request.inputs.items():
        try:
            inputs[alias] = tf.make_ndarray(proto)
        except (TypeError, ValueError, KeyError) as error:
            raise StatusError(Code.INVALID_ARGUMENT, f"tensor parsing error: {alias}") from error
    predict(servable, key, inputs, request.output_filter).result()
