"""Calls over HTTP with asyncio."""

import asyncio

import httpx

from vae_tf_serving.client.error import ServingError
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.protocol import Call
from vae_tf_serving.client.rest_transport import (
    client_arguments,
    content,
    request_arguments,
    serving_error,
)


class AsyncRestTransport:
    """Connections that are kept open, in one event loop.

    Args:
        options: Address and TLS.
    """

    def __init__(self, options: Options) -> None:
        self._client = httpx.AsyncClient(**client_arguments(options))

    async def send(self, call: Call, timeout: float) -> bytes:
        """The answer to `call`, which must come within `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                response = await self._client.request(**request_arguments(call), timeout=None)
        except httpx.RequestError as error:
            raise serving_error(error) from error
        except TimeoutError as error:
            message = f"{self._client.base_url} did not answer in time."
            raise ServingError("DEADLINE_EXCEEDED", message) from error
        return content(response)

    async def close(self) -> None:
        """Ends the connections."""
        await self._client.aclose()
