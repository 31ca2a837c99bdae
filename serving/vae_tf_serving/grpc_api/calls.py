"""Unary gRPC calls: parses requests, and reports errors as TensorFlow Serving does."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from vae_tf_serving.event_loop import offload_if
from vae_tf_serving.metrics import Metrics
from vae_tf_serving.status import Code, StatusError

logger = logging.getLogger(__name__)

_CODES = {code: getattr(grpc.StatusCode, code.name) for code in Code}
_MAX_MESSAGE_LENGTH = 1024

Handler = Callable[[Any, float | None], Awaitable[bytes]]
"""Takes the request and its timeout in seconds (None: no limit); returns the bytes of the response."""

M = TypeVar("M", bound=Message)

INLINE_BYTES = 256 << 10
"""Messages up to this size are read and written in the event loop, larger ones in a thread."""


def service(
    name: str,
    calls: Mapping[str, tuple[type[Message], Handler]],
    metrics: Metrics | None = None,
    counted: tuple[str, ...] = (),
) -> grpc.GenericRpcHandler:
    """Makes a gRPC service of unary calls.

    Messages are parsed here, because gRPC would return INTERNAL for bytes that are not a message. The
    handlers serialize the responses, because most of the time is spent there.

    Args:
        name: Full name of the service.
        calls: Name of a call -> type of the request, and its handler.
        metrics: Counts the calls; None for no metrics.
        counted: Names of the calls that are counted.
    """
    handlers = {
        call: grpc.unary_unary_rpc_method_handler(
            _behaviour(call, kind, handler, metrics if call in counted else None)
        )
        for call, (kind, handler) in calls.items()
    }
    return grpc.method_handlers_generic_handler(name, handlers)


def _behaviour(
    call: str, kind: type[Message], handler: Handler, metrics: Metrics | None
) -> Callable[[bytes, Any], Awaitable[bytes]]:
    async def behaviour(data: bytes, context: Any) -> bytes:
        started = time.monotonic()
        request = None
        error: StatusError | None = None
        response = b""
        try:
            request = await offload_if(len(data) > INLINE_BYTES, _parse, kind, data)
            response = await handler(request, context.time_remaining())
        except StatusError as raised:
            error = raised
        except Exception:
            logger.exception("%s failed", call)
            error = StatusError(Code.INTERNAL, "The server failed to answer; see its log")
        seconds = time.monotonic() - started
        if metrics is not None:
            model = "" if request is None else request.model_spec.name
            metrics.answered(model, call, "GRPC", error, seconds)
        if logger.isEnabledFor(logging.DEBUG):
            code = "OK" if error is None else error.code.name
            logger.debug("grpc call=%s code=%s ms=%.2f", call, code, seconds * 1e3)
        if error is not None:
            await context.abort(_CODES[error.code], _truncated(error.message))
        return response

    return behaviour


def _parse(kind: type[M], data: bytes) -> M:
    try:
        return kind.FromString(data)
    except DecodeError:
        name = kind.DESCRIPTOR.full_name
        raise StatusError(Code.INVALID_ARGUMENT, f"The request is no {name}") from None


def _truncated(message: str) -> str:
    text = message.encode("utf-8", "replace").decode()  # gRPC takes no surrogates
    if len(text) > _MAX_MESSAGE_LENGTH:
        return text[:_MAX_MESSAGE_LENGTH] + "...TRUNCATED"
    return text
