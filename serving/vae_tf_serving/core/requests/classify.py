"""Classify, Regress and MultiInference: run signatures on serialized `tf.train.Example`s."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from tensorflow_serving.apis import classification_pb2, inference_pb2, regression_pb2
from tensorflow_serving.apis.input_pb2 import Input
from tensorflow_serving.apis.model_pb2 import ModelSpec

from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.core.batching.task import Values
from vae_tf_serving.core.execution.servable import Servable
from vae_tf_serving.core.execution.signature import DEFAULT_KEY, Signature
from vae_tf_serving.core.requests.example_signatures import Finish, classification, regression
from vae_tf_serving.status import Code, StatusError, invalid_argument

_CLASSIFY, _REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


def classify(
    servable: Servable,
    request: classification_pb2.ClassificationRequest,
    deadline: float | None = None,
) -> ResultFuture[classification_pb2.ClassificationResponse]:
    """Runs PredictionService.Classify.

    Args:
        servable: The model that `request.model_spec` resolves to.
        request: The request.
        deadline: `time.monotonic()` seconds; None for no limit.

    Raises:
        StatusError: The request is invalid, or a queue is full. The future may fail with a
            StatusError too.
    """
    key = request.model_spec.signature_name or DEFAULT_KEY
    tensor, outputs, finish = classification(_find(servable, key, _CLASSIFY, "classification"))

    def respond(values: dict[str, np.ndarray], count: int) -> Any:
        result = finish(values, count)
        spec = _model_spec(servable, request.model_spec.name, key)
        return classification_pb2.ClassificationResponse(model_spec=spec, result=result)

    return _submit(servable, "Classify", request.input, [tensor], outputs, respond, deadline)


def regress(
    servable: Servable,
    request: regression_pb2.RegressionRequest,
    deadline: float | None = None,
) -> ResultFuture[regression_pb2.RegressionResponse]:
    """Runs PredictionService.Regress; arguments and errors are those of `classify`."""
    key = request.model_spec.signature_name or DEFAULT_KEY
    tensor, outputs, finish = regression(_find(servable, key, _REGRESS, "regression"))

    def respond(values: dict[str, np.ndarray], count: int) -> Any:
        result = finish(values, count)
        spec = _model_spec(servable, request.model_spec.name, key)
        return regression_pb2.RegressionResponse(model_spec=spec, result=result)

    return _submit(servable, "Regress", request.input, [tensor], outputs, respond, deadline)


def multi_inference_spec(request: inference_pb2.MultiInferenceRequest) -> ModelSpec:
    """Returns the ModelSpec of a MultiInferenceRequest, which is that of its first task."""
    return request.tasks[0].model_spec if request.tasks else ModelSpec()


def multi_inference(
    servable: Servable,
    request: inference_pb2.MultiInferenceRequest,
    deadline: float | None = None,
) -> ResultFuture[inference_pb2.MultiInferenceResponse]:
    """Runs PredictionService.MultiInference in one run; arguments are those of `classify`."""
    tasks = []
    keys: set[str] = set()
    for task in request.tasks:
        key = _check_task(task, request.tasks[0].model_spec.name, keys)
        signature = servable.signatures.get(key)
        if signature is None:
            raise invalid_argument(f"Requested signature not found in model graph: {key}")
        tasks.append((task, key, *_reader(task.method_name)(signature)))
    tensors = sorted({tensor for _, _, tensor, _, _ in tasks})  # each is fed the same examples
    outputs = sorted({name for _, _, _, names, _ in tasks for name in names})

    def respond(values: dict[str, np.ndarray], count: int) -> Any:
        response = inference_pb2.MultiInferenceResponse()
        for task, key, _, _, finish in tasks:
            result = finish(values, count)
            added = response.results.add(
                model_spec=_model_spec(servable, task.model_spec.name, key)
            )
            if task.method_name == _CLASSIFY:
                added.classification_result.CopyFrom(result)
            else:
                added.regression_result.CopyFrom(result)
        servable.observer.examples(servable.name, count)
        return response

    api = "MultiInference"
    return _submit(servable, api, request.input, tensors, outputs, respond, deadline)


def _check_task(task: Any, model: str, keys: set[str]) -> str:
    if not task.model_spec.name:
        raise invalid_argument("Found ModelSpec with an empty model name.")
    if task.model_spec.name != model:
        raise invalid_argument(
            "All ModelSpecs in a MultiInferenceRequest must access the same model name."
        )
    key = task.model_spec.signature_name or DEFAULT_KEY
    if key in keys:
        raise invalid_argument(f"Duplicate evaluation of signature: {key}")
    keys.add(key)
    return key


def _reader(method_name: str) -> Callable[[Signature], tuple[str, list[str], Finish]]:
    if method_name == _CLASSIFY:
        return classification
    if method_name == _REGRESS:
        return regression
    raise StatusError(Code.UNIMPLEMENTED, f"Unsupported signature method_name: {method_name}")


def _find(servable: Servable, key: str, method: str, kind: str) -> Signature:
    found = servable.signatures.get(key)
    if found is None:
        raise invalid_argument(f"No signature was found with the name: {key}")
    if servable.options.check_method_names and found.proto.method_name != method:
        raise invalid_argument(
            f"Expected {kind} signature method_name to be {method}. Was: {found.proto.method_name}"
        )
    return found


def _submit(
    servable: Servable,
    api: str,
    request: Input,
    tensors: list[str],
    outputs: list[str],
    respond: Finish,
    deadline: float | None,
) -> ResultFuture[Any]:
    examples = serialized_examples(request)
    started = time.monotonic()

    def finish(values: Values) -> Any:
        servable.observer.ran(servable.name, api, time.monotonic() - started)
        return respond(dict(zip(outputs, values, strict=True)), len(examples))

    return servable.submit(dict.fromkeys(tensors, examples), outputs, deadline, finish)


def serialized_examples(request: Input) -> np.ndarray:
    """Returns the serialized examples, each preceded by the serialized context: [N] of bytes.

    Raises:
        StatusError: INVALID_ARGUMENT: no examples.
    """
    kind = request.WhichOneof("kind")
    context = b""
    if kind == "example_list_with_context":
        context = request.example_list_with_context.context.SerializeToString()
    examples = getattr(request, kind).examples if kind else ()
    if not examples:
        raise invalid_argument("Input is empty.")
    return np.array([context + example.SerializeToString() for example in examples], dtype=object)


def _model_spec(servable: Servable, name: str, key: str) -> ModelSpec:
    spec = ModelSpec(name=name, signature_name=key)
    spec.version.value = servable.version
    return spec
