"""The REST API as an ASGI application."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.core.batching.future_bridge import FutureBridge
from vae_tf_serving.core.models.manager import ModelManager
from vae_tf_serving.metrics import Metrics
from vae_tf_serving.rest import bodies, json_out
from vae_tf_serving.rest.actions import (
    INLINE_BYTES,
    Actions,
    Outputs,
    is_large,
    write_predictions,
)
from vae_tf_serving.rest.memory_limit import MemoryLimit, MemoryLimitError, Reservation
from vae_tf_serving.rest.paths import Route, parse_route
from vae_tf_serving.status import Code, StatusError

logger = logging.getLogger(__name__)

_JSON, _TEXT = b"application/json", b"text/plain"
_HTML = b"text/html"
_VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
)
_CLOSE = ((b"connection", b"close"),)
_MAX_BYTES_IN_FLIGHT = 1 << 30  # of bodies, from the first byte to the response
_SLOW_PATH_HEADERS = (b"content-encoding", b"transfer-encoding", b"expect", b"upgrade")
_APIS = ("predict", "classify", "regress")

Response = tuple[int, bytes, bytes, tuple[tuple[bytes, bytes], ...]]
"""Status, content type, body, further headers."""


class Application:
    """TensorFlow Serving's REST API as an ASGI 3 application, HTTP only.

    It must be constructed in the running loop that serves it.

    Args:
        manager: The models.
        timeout: Seconds that a call may take; None for no limit.
        max_body_bytes: Maximum size of a request's body; larger ones get 413.
        cors: Whether the CORS headers are added.
        metrics: Counts the calls; None for no metrics.
        metrics_path: Path of the metrics page.
    """

    def __init__(
        self,
        manager: ModelManager,
        timeout: float | None = 30.0,
        max_body_bytes: int = 128 << 20,
        cors: bool = False,
        metrics: Metrics | None = None,
        metrics_path: str = "",
    ) -> None:
        self._bridge = FutureBridge(asyncio.get_running_loop())
        self._actions = Actions(manager, self._bridge, timeout)
        self._writing: set[asyncio.Task] = set()
        self._max_body_bytes = max_body_bytes
        self._memory = MemoryLimit(max(_MAX_BYTES_IN_FLIGHT, max_body_bytes))
        self._cors = _CORS if cors else ()
        self._metrics = metrics
        self._metrics_path = metrics_path if metrics is not None else None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Handles one request."""
        with self._memory.reservation() as reservation:
            try:
                response = await self._call(scope, receive, reservation)
            except MemoryLimitError:
                text = "The requests under way hold as much memory as they may; try again later"
                response = 503, _JSON, json_out.error(text), _CLOSE
        if response is not None:  # None: the client has disconnected
            await _send(send, response)

    def fast_path_route(self, scope: dict[str, Any]) -> Route | None:
        """Returns the route of a predict request that takes the fast path, else None.

        Its body is small, and neither compressed nor chunked.

        Args:
            scope: The ASGI scope.
        """
        if scope["method"] != "POST" or scope["query_string"]:
            return None
        size = b""
        for name, value in scope["headers"]:
            if name == b"content-length":
                size = value
            elif name in _SLOW_PATH_HEADERS:
                return None
        if not size.isdigit() or int(size) > min(INLINE_BYTES, self._max_body_bytes):
            return None
        route = parse_route("POST", scope["raw_path"].decode("latin-1"))
        return route if route.action == "predict" else None

    def handle_fast_path(
        self, route: Route, path: str, body: bytes, respond: Callable[[Response], None]
    ) -> None:
        """Handles a request as `__call__` does, without a task and the messages of ASGI.

        The task and the messages dominate the cost of a small request.

        Args:
            route: Result of `fast_path_route`.
            path: For the log.
            body: The whole body.
            respond: Called once with the response, in the loop.
        """
        started = time.monotonic()

        def finish(payload: bytes, raised: Exception | None) -> None:
            respond(self._finish(route, "POST", path, started, payload, raised))

        deadline = self._actions.deadline()
        try:
            future, by_row = self._actions.begin_predict(route, body, deadline)
        except Exception as raised:
            finish(b"", raised)
            return

        def on_done(done: ResultFuture) -> None:
            try:
                outputs = done.result()
                if is_large(outputs):
                    self._write_in_thread(outputs, by_row, finish)
                    return
                payload = write_predictions(outputs, by_row)
            except Exception as raised:
                finish(b"", raised)
            else:
                finish(payload, None)

        self._bridge.add_done_callback(future, deadline, on_done)

    def _write_in_thread(
        self, outputs: Outputs, by_row: bool, finish: Callable[[bytes, Exception | None], None]
    ) -> None:
        async def write() -> None:
            try:
                payload = await asyncio.to_thread(write_predictions, outputs, by_row)
            except Exception as raised:
                finish(b"", raised)
            else:
                finish(payload, None)

        task = asyncio.ensure_future(write())
        self._writing.add(task)  # the loop keeps weak references only
        task.add_done_callback(self._writing.discard)

    async def _call(
        self, scope: dict[str, Any], receive: Any, reservation: Reservation
    ) -> Response | None:
        verb, query = scope["method"], scope["query_string"]
        path = scope["raw_path"].decode("latin-1")
        headers = dict(scope["headers"])
        try:
            content_length = int(headers.get(b"content-length", 0))
            body = await bodies.read(receive, content_length, self._max_body_bytes, reservation)
        except bodies.BodyTooLargeError:
            text = f"The body is larger than {self._max_body_bytes} bytes"
            return 413, _JSON, json_out.error(text), _CLOSE
        if body is None:
            return None
        if path == self._metrics_path:
            return self._page(path, query)
        if query:
            path = f"{path}?{query.decode('latin-1')}"
        return await self._respond(verb, path, headers, body, reservation)

    async def _respond(
        self,
        verb: str,
        path: str,
        headers: dict[bytes, bytes],
        body: bytes,
        reservation: Reservation,
    ) -> Response:
        route = parse_route(verb, path)
        if verb not in _VERBS:
            return 501, _HTML, _html_page("501 Not Implemented", "Not Implemented"), _CLOSE
        if route.action == "elsewhere":
            return 404, _HTML, _html_page("404 Not Found", "Not Found"), _CLOSE
        if verb == "OPTIONS":
            origin = headers.get(b"origin", b"")
            known = b"http://" in origin or b"https://" in origin
            return 200 if known else 400, _TEXT, b"", self._cors
        if route.action == "bad_version":
            return 400, _JSON, b"", self._cors
        started = time.monotonic()
        payload, raised = b"", None
        try:
            if b"gzip" in headers.get(b"content-encoding", b""):
                reservation.take(bodies.max_inflated(body))
                body = await asyncio.to_thread(bodies.inflate, body)
            payload = await self._act(route, verb, path, body)
        except MemoryLimitError:
            raise
        except Exception as error:
            raised = error
        return self._finish(route, verb, path, started, payload, raised)

    def _finish(
        self,
        route: Route,
        verb: str,
        path: str,
        started: float,
        payload: bytes,
        raised: Exception | None,
    ) -> Response:
        """Counts and logs a request; makes the response from `payload`, or from the error `raised`."""
        error = None
        if isinstance(raised, StatusError):
            error = raised
        elif raised is not None:
            logger.error("%s %s failed", verb, path, exc_info=raised)
            error = StatusError(Code.INTERNAL, "The server failed to answer; see its log")
        seconds = time.monotonic() - started
        if self._metrics is not None:
            api = route.action if route.action in _APIS else ""
            self._metrics.answered(route.name, api, "REST", error, seconds)
        if error is not None:
            payload = json_out.error(error.message)
        status = 200 if error is None else error.code.http
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "rest verb=%s path=%s status=%d ms=%.2f", verb, path, status, seconds * 1e3
            )
        return status, _JSON, payload, self._cors

    async def _act(self, route: Route, verb: str, path: str, body: bytes) -> bytes:
        actions = self._actions
        match route.action:
            case "predict":
                return await actions.predict(route, body)
            case "classify":
                return await actions.classify(route, body)
            case "regress":
                return await actions.regress(route, body)
            case "status":
                return actions.status(route)
            case "metadata":
                return actions.metadata(route)
            case "no_model":
                raise StatusError(Code.INVALID_ARGUMENT, "Missing model name in request.")
        raise StatusError(Code.INVALID_ARGUMENT, f"Malformed request: {verb} {path}")

    def _page(self, path: str, query: bytes) -> Response:
        if query or self._metrics is None:
            route = f"{path}?{query.decode('latin-1')}"
            text = f"Unexpected path: {route}. Should be {path}"
            return 400, _TEXT, text.encode(), ()
        return 200, _TEXT, self._metrics.page(), ()


def headers_of(response: Response) -> list[tuple[bytes, bytes]]:
    """Returns the headers of a response, without those that the HTTP server adds."""
    _, kind, body, further = response
    return [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *further]


async def _send(send: Any, response: Response) -> None:
    status, _, body, _ = response
    headers = headers_of(response)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _html_page(title: str, heading: str) -> bytes:
    """Makes an error page like that of libevent's HTTP server."""
    return (
        f"<HTML><HEAD>\n<TITLE>{title}</TITLE>\n</HEAD><BODY>\n<H1>{heading}</H1>\n</BODY></HTML>\n"
    ).encode()
