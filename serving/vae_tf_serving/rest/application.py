"""The REST API as an ASGI application."""

import asyncio
import logging
import time
from typing import Any

from vae_tf_serving.completions import Completions
from vae_tf_serving.core.manager import ModelManager
from vae_tf_serving.metrics import Metrics
from vae_tf_serving.rest import bodies, json_out
from vae_tf_serving.rest.actions import Actions
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
_APIS = ("predict", "classify", "regress")

Answer = tuple[int, bytes, bytes, tuple[tuple[bytes, bytes], ...]]
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
        self._actions = Actions(manager, Completions(asyncio.get_running_loop()), timeout)
        self._largest_body = largest_body
        self._memory = MemoryLimit(max(_HELD_BYTES, largest_body))
        self._cors = _CORS if cors else ()
        self._metrics = metrics
        self._metrics_path = metrics_path if metrics is not None else None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answers one request."""
        with self._memory.share() as share:
            try:
                answer = await self._call(scope, receive, share)
            except TooMuchHeld:
                text = "The requests under way hold as much memory as they may; try again later"
                answer = 503, _JSON, json_out.error(text), _CLOSE
        if answer is not None:  # else the client went away
            await _send(send, answer)

    async def _call(self, scope: dict[str, Any], receive: Any, share: Share) -> Answer | None:
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
    ) -> Answer:
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
        error = None
        try:
            if b"gzip" in headers.get(b"content-encoding", b""):
                share.take(bodies.most_inflated(body))
                body = await asyncio.to_thread(bodies.inflate, body)
            payload = await self._act(asked, verb, path, body)
        except StatusError as raised:
            error = raised
        except TooMuchHeld:
            raise
        except Exception:
            logger.exception("%s %s failed", verb, path)
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

    def _page(self, path: str, query: bytes) -> Answer:
        if query or self._metrics is None:
            asked = f"{path}?{query.decode('latin-1')}"
            text = f"Unexpected path: {asked}. Should be {path}"
            return 400, _TEXT, text.encode(), ()
        return 200, _TEXT, self._metrics.page(), ()


async def _send(send: Any, answer: Answer) -> None:
    status, kind, body, further = answer
    length = str(len(body)).encode()
    headers = [(b"content-type", kind), (b"content-length", length), *further]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _page_of(title: str, heading: str) -> bytes:
    """The page of libevent's HTTP server."""
    return (
        f"<HTML><HEAD>\n<TITLE>{title}</TITLE>\n</HEAD><BODY>\n<H1>{heading}</H1>\n</BODY></HTML>\n"
    ).encode()
