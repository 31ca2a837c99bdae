"""The REST API as an ASGI application."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from vae_tf_serving.core.batching.future import Answer
from vae_tf_serving.core.batching.future_bridge import Completions
from vae_tf_serving.core.models.manager import ModelManager
from vae_tf_serving.metrics import Metrics
from vae_tf_serving.rest import bodies, json_out
from vae_tf_serving.rest.actions import (
    INLINE_BYTES,
    Actions,
    Outputs,
    is_large,
    write_predicted,
)
from vae_tf_serving.rest.memory_limit import MemoryLimit, Share, TooMuchHeld
from vae_tf_serving.rest.paths import Route, route
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
_HELD_BYTES = 1 << 30  # of bodies, from the first byte to the answer
_NOT_PLAIN = (b"content-encoding", b"transfer-encoding", b"expect", b"upgrade")
_APIS = ("predict", "classify", "regress")

Response = tuple[int, bytes, bytes, tuple[tuple[bytes, bytes], ...]]
"""Status, type of the body, body, further headers."""


class Application:
    """TensorFlow Serving's REST API: ASGI 3, HTTP only.

    Make it inside the running loop that serves it.

    Args:
        manager: The models.
        timeout: Seconds a call may run; None for no limit.
        largest_body: Bytes of a request's body; more is answered 413.
        cors: Add the CORS headers.
        metrics: Where to count; None does not.
        metrics_path: Where the page is, if there are metrics.
    """

    def __init__(
        self,
        manager: ModelManager,
        timeout: float | None = 30.0,
        largest_body: int = 128 << 20,
        cors: bool = False,
        metrics: Metrics | None = None,
        metrics_path: str = "",
    ) -> None:
        self._completions = Completions(asyncio.get_running_loop())
        self._actions = Actions(manager, self._completions, timeout)
        self._writing: set[asyncio.Task] = set()
        self._largest_body = largest_body
        self._memory = MemoryLimit(max(_HELD_BYTES, largest_body))
        self._cors = _CORS if cors else ()
        self._metrics = metrics
        self._metrics_path = metrics_path if metrics is not None else None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answers one request."""
        with self._memory.share() as share:
            try:
                response = await self._call(scope, receive, share)
            except TooMuchHeld:
                text = "The requests under way hold as much memory as they may; try again later"
                response = 503, _JSON, json_out.error(text), _CLOSE
        if response is not None:  # else the client went away
            await _send(send, response)

    def direct(self, scope: dict[str, Any]) -> Route | None:
        """The route of a request that `answer` can answer, else None: a small, plain predict.

        Args:
            scope: ASGI's.
        """
        if scope["method"] != "POST" or scope["query_string"]:
            return None
        size = b""
        for name, value in scope["headers"]:
            if name == b"content-length":
                size = value
            elif name in _NOT_PLAIN:
                return None
        if not size.isdigit() or int(size) > min(INLINE_BYTES, self._largest_body):
            return None
        asked = route("POST", scope["raw_path"].decode("latin-1"))
        return asked if asked.action == "predict" else None

    def answer(
        self, asked: Route, path: str, body: bytes, respond: Callable[[Response], None]
    ) -> None:
        """Answers as `__call__` would, without a task and the messages of ASGI.

        Those are most of what a small request would cost.

        Args:
            asked: What `direct` gave.
            path: For the log.
            body: Whole.
            respond: Called once with the response, in the loop.
        """
        started = time.monotonic()

        def finish(payload: bytes, raised: Exception | None) -> None:
            respond(self._outcome(asked, "POST", path, started, payload, raised))

        deadline = self._actions.deadline()
        try:
            answer, by_row = self._actions.begin_predict(asked, body, deadline)
        except Exception as raised:
            finish(b"", raised)
            return

        def heard(done: Answer) -> None:
            try:
                outputs = done.result()
                if is_large(outputs):
                    self._write_beside(outputs, by_row, finish)
                    return
                payload = write_predicted(outputs, by_row)
            except Exception as raised:
                finish(b"", raised)
            else:
                finish(payload, None)

        self._completions.call(answer, deadline, heard)

    def _write_beside(
        self, outputs: Outputs, by_row: bool, finish: Callable[[bytes, Exception | None], None]
    ) -> None:
        async def write() -> None:
            try:
                payload = await asyncio.to_thread(write_predicted, outputs, by_row)
            except Exception as raised:
                finish(b"", raised)
            else:
                finish(payload, None)

        task = asyncio.ensure_future(write())
        self._writing.add(task)  # the loop alone would not keep it
        task.add_done_callback(self._writing.discard)

    async def _call(self, scope: dict[str, Any], receive: Any, share: Share) -> Response | None:
        verb, query = scope["method"], scope["query_string"]
        path = scope["raw_path"].decode("latin-1")
        headers = dict(scope["headers"])
        try:
            announced = int(headers.get(b"content-length", 0))
            body = await bodies.read(receive, announced, self._largest_body, share)
        except bodies.BodyTooLarge:
            text = f"The body is larger than {self._largest_body} bytes"
            return 413, _JSON, json_out.error(text), _CLOSE
        if body is None:
            return None
        if path == self._metrics_path:
            return self._page(path, query)
        if query:
            path = f"{path}?{query.decode('latin-1')}"
        return await self._answer(verb, path, headers, body, share)

    async def _answer(
        self, verb: str, path: str, headers: dict[bytes, bytes], body: bytes, share: Share
    ) -> Response:
        asked = route(verb, path)
        if verb not in _VERBS:
            return 501, _HTML, _page_of("501 Not Implemented", "Not Implemented"), _CLOSE
        if asked.action == "elsewhere":
            return 404, _HTML, _page_of("404 Not Found", "Not Found"), _CLOSE
        if verb == "OPTIONS":
            origin = headers.get(b"origin", b"")
            known = b"http://" in origin or b"https://" in origin
            return 200 if known else 400, _TEXT, b"", self._cors
        if asked.action == "bad_version":
            return 400, _JSON, b"", self._cors
        started = time.monotonic()
        payload, raised = b"", None
        try:
            if b"gzip" in headers.get(b"content-encoding", b""):
                share.take(bodies.most_inflated(body))
                body = await asyncio.to_thread(bodies.inflate, body)
            payload = await self._act(asked, verb, path, body)
        except TooMuchHeld:
            raise
        except Exception as error:
            raised = error
        return self._outcome(asked, verb, path, started, payload, raised)

    def _outcome(
        self,
        asked: Route,
        verb: str,
        path: str,
        started: float,
        payload: bytes,
        raised: Exception | None,
    ) -> Response:
        """Counts and logs what came of a request: `payload`, or what was `raised`."""
        error = None
        if isinstance(raised, StatusError):
            error = raised
        elif raised is not None:
            logger.error("%s %s failed", verb, path, exc_info=raised)
            error = StatusError(Code.INTERNAL, "The server failed to answer; see its log")
        seconds = time.monotonic() - started
        if self._metrics is not None:
            api = asked.action if asked.action in _APIS else ""
            self._metrics.answered(asked.name, api, "REST", error, seconds)
        if error is not None:
            payload = json_out.error(error.message)
        status = 200 if error is None else error.code.http
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "rest verb=%s path=%s status=%d ms=%.2f", verb, path, status, seconds * 1e3
            )
        return status, _JSON, payload, self._cors

    async def _act(self, asked: Route, verb: str, path: str, body: bytes) -> bytes:
        actions = self._actions
        match asked.action:
            case "predict":
                return await actions.predict(asked, body)
            case "classify":
                return await actions.classify(asked, body)
            case "regress":
                return await actions.regress(asked, body)
            case "status":
                return actions.status(asked)
            case "metadata":
                return actions.metadata(asked)
            case "no_model":
                raise StatusError(Code.INVALID_ARGUMENT, "Missing model name in request.")
        raise StatusError(Code.INVALID_ARGUMENT, f"Malformed request: {verb} {path}")

    def _page(self, path: str, query: bytes) -> Response:
        if query or self._metrics is None:
            asked = f"{path}?{query.decode('latin-1')}"
            text = f"Unexpected path: {asked}. Should be {path}"
            return 400, _TEXT, text.encode(), ()
        return 200, _TEXT, self._metrics.page(), ()


def headers_of(response: Response) -> list[tuple[bytes, bytes]]:
    """Of a response, but for those that the HTTP server adds."""
    _, kind, body, further = response
    return [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *further]


async def _send(send: Any, response: Response) -> None:
    status, _, body, _ = response
    headers = headers_of(response)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _page_of(title: str, heading: str) -> bytes:
    """The page of libevent's HTTP server."""
    return (
        f"<HTML><HEAD>\n<TITLE>{title}</TITLE>\n</HEAD><BODY>\n<H1>{heading}</H1>\n</BODY></HTML>\n"
    ).encode()
