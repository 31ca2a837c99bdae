"""Calls of the REST API, from the bytes of a body to the bytes of a body."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
from google.protobuf import json_format
from google.protobuf.message import Message
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    regression_pb2,
)

from vae_tf_serving.core.batching.event_loop_collector import EventLoopCollector
from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.core.batching.future_bridge import FutureBridge
from vae_tf_serving.core.batching.task import deadline_after
from vae_tf_serving.core.execution.servable import Servable
from vae_tf_serving.core.execution.signature import DEFAULT_KEY
from vae_tf_serving.core.models.manager import ModelManager
from vae_tf_serving.core.models.servable_handle import ServableHandle
from vae_tf_serving.core.requests.classify import classify, regress
from vae_tf_serving.core.requests.predict import predict
from vae_tf_serving.event_loop import offload_if
from vae_tf_serving.rest import json_examples, json_in, json_out, json_tensors
from vae_tf_serving.rest.paths import Route
from vae_tf_serving.rest.time_limit import TimeLimit
from vae_tf_serving.status import Code, StatusError

Outputs = dict[str, np.ndarray]
"""Alias -> value."""

INLINE_BYTES = 64 << 10
"""Bodies up to this size are parsed in the event loop, larger ones in a thread."""

_INLINE_VALUES = 256 << 10
"""Outputs of up to this number of values are serialized in the event loop, larger ones in a thread."""


class Actions:
    """Calls of the REST API.

    Args:
        manager: The models.
        bridge: That of the event loop that runs the calls.
        timeout: Seconds to parse a request and run it; None for no limit.
    """

    def __init__(self, manager: ModelManager, bridge: FutureBridge, timeout: float | None) -> None:
        self._manager = manager
        self._bridge = bridge
        self._timeout = timeout

    async def predict(self, route: Route, body: bytes) -> bytes:
        """Runs `:predict`; the response has the format of the request, row or columnar.

        Raises:
            StatusError: As TensorFlow Serving, checked in its order: the JSON, `signature_name`, the
                model, the signature, the values, the run.
        """
        deadline = self.deadline()
        if len(body) > INLINE_BYTES:
            future, by_row = await asyncio.to_thread(self._begin, route, body, deadline, None)
        else:
            future, by_row = self.begin_predict(route, body, deadline)
        outputs = await self._bridge.wait(future, deadline)
        return await offload_if(is_large(outputs), write_predictions, outputs, by_row)

    def begin_predict(
        self, route: Route, body: bytes, deadline: float | None
    ) -> tuple[ResultFuture[Outputs], bool]:
        """Starts `predict` in the event loop; returns its outputs, and whether the format is row.

        Raises:
            StatusError: As `predict`, except for errors of the run.
        """
        return self._begin(route, body, deadline, self._bridge.collector)

    async def classify(self, route: Route, body: bytes) -> bytes:
        """Runs `:classify`; the response has a list of [label, score] for each example."""
        request = classification_pb2.ClassificationRequest()
        response = await self._run_examples(route, body, request, classify)
        return json_out.results(
            [
                [[c.label, json_out.shortest(c.score)] for c in row.classes]
                for row in response.result.classifications
            ]
        )

    async def regress(self, route: Route, body: bytes) -> bytes:
        """Runs `:regress`; the response has a number for each example."""
        response = await self._run_examples(
            route, body, regression_pb2.RegressionRequest(), regress
        )
        return json_out.results(
            [json_out.shortest(row.value) for row in response.result.regressions]
        )

    def status(self, route: Route) -> bytes:
        """Returns the states of the versions; a label is ignored, as upstream."""
        response = get_model_status_pb2.GetModelStatusResponse(
            model_version_status=self._manager.status(route.name, route.version)
        )
        return json_out.message(_as_dict(response))

    def metadata(self, route: Route) -> bytes:
        """Returns all signatures of one version."""
        with self._handle(route) as servable:
            signatures = get_model_metadata_pb2.SignatureDefMap(
                signature_def=servable.meta_graph.signature_def
            )
            spec = {"name": route.name, "signature_name": "", "version": str(servable.version)}
        return json_out.message(
            {"model_spec": spec, "metadata": {"signature_def": _as_dict(signatures)}}
        )

    async def _run_examples(
        self, route: Route, body: bytes, request: Any, run: Callable[..., Any]
    ) -> Any:
        deadline = self.deadline()
        limit, large = TimeLimit(deadline), len(body) > INLINE_BYTES
        document = await offload_if(large, json_in.parse, body, limit)
        request.model_spec.name = route.name
        request.model_spec.signature_name = document.signature_name.encode(
            "utf-8", "surrogateescape"
        ).decode("utf-8", "replace")
        request.input.CopyFrom(await offload_if(large, json_examples.examples, document, limit))
        handle = self._handle(route).acquire()
        future = handle.submit(lambda servable: run(servable, request, deadline))
        return await self._bridge.wait(future, deadline)

    def _begin(
        self,
        route: Route,
        body: bytes,
        deadline: float | None,
        collector: EventLoopCollector | None,
    ) -> tuple[ResultFuture[Outputs], bool]:
        limit = TimeLimit(deadline)
        document = json_in.parse(body, limit)
        key = document.signature_name
        handle = self._handle(route).acquire()
        try:
            types = _input_types(handle.servable, key)
            inputs, by_row = json_tensors.arrays(document, types, limit)
        except BaseException:
            handle.release()
            raise
        future = handle.submit(
            lambda servable: predict(servable, key, inputs, (), deadline, collector)
        )
        return future, by_row

    def _handle(self, route: Route) -> ServableHandle:
        return self._manager.servable_handle(route.name, route.version, route.label)

    def deadline(self) -> float | None:
        """Returns the deadline of a request that starts now, in `time.monotonic()` seconds."""
        return deadline_after(self._timeout)


def is_large(outputs: Outputs) -> bool:
    """Returns whether `outputs` are too large to be serialized in the event loop."""
    return sum([array.size for array in outputs.values()]) > _INLINE_VALUES


def write_predictions(outputs: Outputs, by_row: bool) -> bytes:
    """Serializes the response to predict.

    Raises:
        StatusError: INVALID_ARGUMENT: no outputs, or a dtype that JSON cannot represent.
    """
    if not outputs:
        raise StatusError(Code.INVALID_ARGUMENT, "Cannot convert empty tensor map to JSON")
    return json_out.predictions(outputs) if by_row else json_out.columns(outputs)


def _input_types(servable: Servable, key: str) -> dict[str, int]:
    """Returns alias -> DataType of a signature's inputs.

    Raises:
        StatusError: INVALID_ARGUMENT: no such signature, or one without inputs.
    """
    signature = servable.signatures.get(key or DEFAULT_KEY)
    if signature is None:
        raise StatusError(
            Code.INVALID_ARGUMENT,
            f'Serving signature name: "{key or DEFAULT_KEY}" not found in signature def',
        )
    if not signature.types:
        raise StatusError(
            Code.INVALID_ARGUMENT, f"Failed to get input map for signature: {key or 'DEFAULT'}"
        )
    return signature.types


def _as_dict(message: Message) -> Any:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
