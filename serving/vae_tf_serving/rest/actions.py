"""What the REST API can be asked to do: bytes of a body in, bytes of a body out."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import numpy as np
from google.protobuf import json_format
from google.protobuf.message import Message
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    regression_pb2,
)

from vae_tf_serving.core.batching.event_loop_collector import Gathering
from vae_tf_serving.core.batching.future import Answer
from vae_tf_serving.core.batching.future_bridge import Completions
from vae_tf_serving.core.execution.servable import Servable
from vae_tf_serving.core.execution.signature import DEFAULT_KEY
from vae_tf_serving.core.models.manager import ModelManager
from vae_tf_serving.core.models.servable_handle import Held
from vae_tf_serving.core.requests.classify import classify, regress
from vae_tf_serving.core.requests.predict import predict
from vae_tf_serving.rest import json_examples, json_in, json_out, json_tensors
from vae_tf_serving.rest.paths import Route
from vae_tf_serving.rest.time_limit import TimeLimit
from vae_tf_serving.status import Code, StatusError

T = TypeVar("T")

Outputs = dict[str, np.ndarray]
"""By alias."""

INLINE_BYTES = 64 << 10
"""Bodies up to this size are read in the event loop, larger ones in a thread beside it."""

_INLINE_VALUES = 256 << 10
"""Likewise values of an answer."""


class Actions:
    """The calls of the REST API.

    Args:
        manager: The models.
        completions: Of the loop that awaits the calls.
        timeout: Seconds to read a request and run it; None for no limit.
    """

    def __init__(
        self, manager: ModelManager, completions: Completions, timeout: float | None
    ) -> None:
        self._manager = manager
        self._completions = completions
        self._timeout = timeout

    async def predict(self, asked: Route, body: bytes) -> bytes:
        """`:predict` in the row or the columnar format; the answer is in the same.

        Raises:
            StatusError: As TensorFlow Serving, in its order: the JSON, `signature_name`, the model,
                the signature, the values, the run.
        """
        deadline = self.deadline()
        if len(body) > INLINE_BYTES:
            answer, by_row = await asyncio.to_thread(self._begin, asked, body, deadline, None)
        else:
            answer, by_row = self.begin_predict(asked, body, deadline)
        outputs = await self._completions.wait(answer, deadline)
        return await _beside(is_large(outputs), write_predicted, outputs, by_row)

    def begin_predict(
        self, asked: Route, body: bytes, deadline: float | None
    ) -> tuple[Answer[Outputs], bool]:
        """Starts `predict` in the event loop: what will be its outputs, and whether they go by row.

        Raises:
            StatusError: As `predict`, of all but the run.
        """
        return self._begin(asked, body, deadline, self._completions.gathering)

    async def classify(self, asked: Route, body: bytes) -> bytes:
        """`:classify`: a list of [label, score] for each example."""
        request = classification_pb2.ClassificationRequest()
        response = await self._run_examples(asked, body, request, classify)
        return json_out.results(
            [
                [[c.label, json_out.shortest(c.score)] for c in row.classes]
                for row in response.result.classifications
            ]
        )

    async def regress(self, asked: Route, body: bytes) -> bytes:
        """`:regress`: a number for each example."""
        response = await self._run_examples(
            asked, body, regression_pb2.RegressionRequest(), regress
        )
        return json_out.results(
            [json_out.shortest(row.value) for row in response.result.regressions]
        )

    def status(self, asked: Route) -> bytes:
        """State of the versions. A label is ignored, as upstream."""
        response = get_model_status_pb2.GetModelStatusResponse(
            model_version_status=self._manager.status(asked.name, asked.version)
        )
        return json_out.message(_as_dict(response))

    def metadata(self, asked: Route) -> bytes:
        """All signatures of one version."""
        with self._acquire(asked) as servable:
            signatures = get_model_metadata_pb2.SignatureDefMap(
                signature_def=servable.meta_graph.signature_def
            )
            spec = {"name": asked.name, "signature_name": "", "version": str(servable.version)}
        return json_out.message(
            {"model_spec": spec, "metadata": {"signature_def": _as_dict(signatures)}}
        )

    async def _run_examples(
        self, asked: Route, body: bytes, request: Any, run: Callable[..., Any]
    ) -> Any:
        deadline = self.deadline()
        limit, large = TimeLimit(deadline), len(body) > INLINE_BYTES
        document = await _beside(large, json_in.parse, body, limit)
        request.model_spec.name = asked.name
        request.model_spec.signature_name = document.signature_name.encode(
            "utf-8", "surrogateescape"
        ).decode("utf-8", "replace")
        request.input.CopyFrom(await _beside(large, json_examples.examples, document, limit))
        held = Held(self._acquire(asked))
        answer = held.submit(lambda servable: run(servable, request, deadline))
        return await self._completions.wait(answer, deadline)

    def _begin(
        self, asked: Route, body: bytes, deadline: float | None, gathering: Gathering | None
    ) -> tuple[Answer[Outputs], bool]:
        limit = TimeLimit(deadline)
        document = json_in.parse(body, limit)
        key = document.signature_name
        held = Held(self._acquire(asked))
        try:
            types = _types_of_inputs(held.servable, key)
            inputs, by_row = json_tensors.arrays(document, types, limit)
        except BaseException:
            held.release()
            raise
        answer = held.submit(
            lambda servable: predict(servable, key, inputs, (), deadline, gathering)
        )
        return answer, by_row

    def _acquire(self, asked: Route) -> AbstractContextManager[Servable]:
        return self._manager.acquire(asked.name, asked.version, asked.label)

    def deadline(self) -> float | None:
        """That of a request that begins now, in `time.monotonic()` seconds."""
        return None if self._timeout is None else time.monotonic() + self._timeout


def is_large(outputs: Outputs) -> bool:
    """Whether other requests should not wait while `outputs` are written."""
    return sum([array.size for array in outputs.values()]) > _INLINE_VALUES


def write_predicted(outputs: Outputs, by_row: bool) -> bytes:
    """The body of an answer to predict.

    Raises:
        StatusError: INVALID_ARGUMENT: an output that JSON has no form for, or none at all.
    """
    if not outputs:
        raise StatusError(Code.INVALID_ARGUMENT, "Cannot convert empty tensor map to JSON")
    return json_out.predictions(outputs) if by_row else json_out.columns(outputs)


def _types_of_inputs(servable: Servable, key: str) -> dict[str, int]:
    """Alias -> DataType of a signature's inputs.

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


async def _beside(large: bool, work: Callable[..., T], *arguments: Any) -> T:
    """`work(*arguments)`, in a thread if it is so large that other requests would wait for it."""
    if large:
        return await asyncio.to_thread(work, *arguments)
    return work(*arguments)


def _as_dict(message: Message) -> Any:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
