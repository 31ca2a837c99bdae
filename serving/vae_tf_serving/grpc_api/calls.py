"""From the bytes of a call to the bytes of its answer, with errors as TensorFlow Serving's."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from vae_tf_serving.metrics import Metrics
from vae_tf_serving.status import Code, StatusError

logger = logging.getLogger(__name__)

_CODES = {code: getattr(grpc.StatusCode, code.name) for code in Code}
_LONGEST_MESSAGE = 1024

Handler = Callable[[Any, float | None], Awaitable[bytes]]
"""Takes the request and the seconds it has (None: for ever); gives the bytes of the response."""

M = TypeVar("M", bound=Message)
T = TypeVar("T")

_INLINE_BYTES = 256 << 10
"""Messages up to this size are read and written in the event loop, larger ones beside it."""


def service(
    name: str,
    calls: Mapping[str, tuple[type[Message], Handler]],
    metrics: Metrics | None = None,
    counted: tuple[str, ...] = (),
) -> grpc.GenericRpcHandler:
    """A gRPC service of unary calls.

    Messages are parsed here rather than by gRPC, which would answer INTERNAL to bytes that are no
    message; and answers are written by the handlers, because that is where most of the time goes.

    Args:
        name: In full.
        calls: Name of a call -> type of the request, and what answers it.
        metrics: Where to count; None does not.
        counted: Names of the calls that are counted.
    """
    handlers = {
        call: grpc.unary_unary_rpc_method_handler(
            _behaviour(call, kind, handler, metrics if call in counted else None)
        )
        for call, (kind, handler) in calls.items()
    }
    return grpc.method_handlers_generic_handler(name, handlers)


async def beside(size: int, work: Callable[..., T], *arguments: Any) -> T:
    """`work(*arguments)`, in a thread if `size` bytes would make the other calls wait for it."""
    if size > _INLINE_BYTES:
        return await asyncio.to_thread(work, *arguments)
    return work(*arguments)


def _behaviour(
    call: str, kind: type[Message], handler: Handler, metrics: Metrics | None
) -> Callable[[bytes, Any], Awaitable[bytes]]:
    async def behaviour(data: bytes, context: Any) -> bytes:
        started = time.monotonic()
        request = None
        error: StatusError | None = None
        answer = b""
        try:
            request = await beside(len(data), _parse, kind, data)
            answer = await handler(request, context.time_remaining())
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
            await context.abort(_CODES[error.code], _cut(error.message))
        return answer

    return behaviour


def _parse(kind: type[M], data: bytes) -> M:
    try:
        return kind.FromString(data)
    except DecodeError:
        name = kind.DESCRIPTOR.full_name
        raise StatusError(Code.INVALID_ARGUMENT, f"The request is no {name}") from None


def _cut(message: str) -> str:
    text = message.encode("utf-8", "replace").decode()  # gRPC takes no surrogates
    if len(text) > _LONGEST_MESSAGE:
        return text[:_LONGEST_MESSAGE] + "...TRUNCATED"
    return text
