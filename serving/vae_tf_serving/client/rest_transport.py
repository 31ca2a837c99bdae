"""Calls over HTTP."""

import json
from typing import Any

import httpx

from vae_tf_serving.client.error import ServingError
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.protocol import Call

# Of the codes that share an HTTP status, the one that a client meets.
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
    """Connections that are kept open; threads may share it.

    Args:
        options: Address and TLS.
    """

    def __init__(self, options: Options) -> None:
        self._client = httpx.Client(**client_arguments(options))

    def send(self, call: Call, timeout: float) -> bytes:
        """The answer to `call`; `timeout` bounds the connecting, and each wait for data."""
        try:
            return content(self._client.request(**request_arguments(call), timeout=timeout))
        except httpx.RequestError as error:
            raise serving_error(error) from error

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()


def client_arguments(options: Options) -> dict[str, Any]:
    """The arguments of `httpx.Client` and `httpx.AsyncClient`."""
    return {
        "base_url": options.address,
        "headers": {"Content-Type": "application/json"},
        "limits": httpx.Limits(max_connections=None),
        "verify": options.ssl_context() if options.has_tls else False,
    }


def request_arguments(call: Call) -> dict[str, Any]:
    """The arguments of `request`."""
    method = "GET" if call.body is None else "POST"
    return {"method": method, "url": call.path, "content": call.body}


def content(response: httpx.Response) -> bytes:
    """The body of an answer, or the error that it is."""
    if response.status_code == httpx.codes.OK:
        return response.content
    try:
        message = json.loads(response.content)["error"]
    except (ValueError, KeyError, TypeError):
        message = f"{response.url} answered {response.status_code} {response.reason_phrase}."
    raise ServingError(_CODES.get(response.status_code, "UNKNOWN"), message)


def serving_error(error: httpx.RequestError) -> ServingError:
    """What it means that no answer came, or none that can be read."""
    if isinstance(error, httpx.TimeoutException):
        return ServingError("DEADLINE_EXCEEDED", f"{error.request.url} did not answer in time.")
    code = "UNAVAILABLE" if isinstance(error, httpx.TransportError) else "UNKNOWN"
    return ServingError(code, f"{error.request.url}: {error}.")
