"""Transports over HTTP, blocking and for asyncio."""

import asyncio
import json
from typing import Any

import httpx

from vae_tf_serving.client.error import ServingError
from vae_tf_serving.client.of_process import OfProcess
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.protocol import Call

# Several codes share an HTTP status; this is the one that a client can get.
_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "RESOURCE_EXHAUSTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class RestTransport:
    """Pool of HTTP connections; thread-safe. A forked child has a pool of its own.

    Args:
        options: Address and TLS.
    """

    def __init__(self, options: Options) -> None:
        self._client = OfProcess(lambda: httpx.Client(**_client_arguments(options)))

    def send(self, call: Call, timeout: float) -> bytes:
        """Returns the response; `timeout` limits the connecting and each wait for data."""
        try:
            response = self._client.get().request(**_request_arguments(call), timeout=timeout)
            return _content(response)
        except httpx.RequestError as error:
            raise _serving_error(error) from error

    def close(self) -> None:
        """Closes the connections."""
        self._client.get().close()


class AsyncRestTransport:
    """Pool of HTTP connections of one event loop. A forked child has a pool of its own.

    Args:
        options: Address and TLS.
    """

    def __init__(self, options: Options) -> None:
        self._client = OfProcess(lambda: httpx.AsyncClient(**_client_arguments(options)))

    async def send(self, call: Call, timeout: float) -> bytes:
        """Returns the response, within `timeout` seconds."""
        client = self._client.get()
        try:
            async with asyncio.timeout(timeout):
                response = await client.request(**_request_arguments(call), timeout=None)
        except httpx.RequestError as error:
            raise _serving_error(error) from error
        except TimeoutError as error:
            message = f"{client.base_url} did not answer in time."
            raise ServingError("DEADLINE_EXCEEDED", message) from error
        return _content(response)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.get().aclose()


def _client_arguments(options: Options) -> dict[str, Any]:
    """Returns the arguments of `httpx.Client` and `httpx.AsyncClient`."""
    return {
        "base_url": options.address,
        "headers": {"Content-Type": "application/json"},
        "limits": httpx.Limits(max_connections=None),
        "verify": options.ssl_context() if options.has_tls else False,
    }


def _request_arguments(call: Call) -> dict[str, Any]:
    """Returns the arguments of `httpx.Client.request`."""
    method = "GET" if call.body is None else "POST"
    return {"method": method, "url": call.path, "content": call.body}


def _content(response: httpx.Response) -> bytes:
    """Returns the body of a response, or raises its error."""
    if response.status_code == httpx.codes.OK:
        return response.content
    try:
        message = json.loads(response.content)["error"]
    except (ValueError, KeyError, TypeError):
        message = f"{response.url} answered {response.status_code} {response.reason_phrase}."
    raise ServingError(_CODES.get(response.status_code, "UNKNOWN"), message)


def _serving_error(error: httpx.RequestError) -> ServingError:
    """Converts an error of the connection, or of a response that cannot be read."""
    if isinstance(error, httpx.TimeoutException):
        return ServingError("DEADLINE_EXCEEDED", f"{error.request.url} did not answer in time.")
    code = "UNAVAILABLE" if isinstance(error, httpx.TransportError) else "UNKNOWN"
    return ServingError(code, f"{error.request.url}: {error}.")
