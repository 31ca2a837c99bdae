"""Calls over gRPC with asyncio."""

from typing import Any

import grpc.aio

from vae_tf_serving.client.grpc_transport import open_channel, serving_error
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.protocol import Call


class AsyncGrpcTransport:
    """One channel, opened by the first call: it belongs to the event loop that is running then.

    Args:
        options: Address and TLS.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._channel: Any = None

    async def send(self, call: Call, timeout: float) -> bytes:
        """The answer to `call`, which must come within `timeout` seconds."""
        if self._channel is None:
            self._channel = open_channel(grpc.aio, self._options)
        try:
            return await self._channel.unary_unary(call.path)(call.body, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise serving_error(error) from error

    async def close(self) -> None:
        """Ends the connection."""
        if self._channel is not None:
            await self._channel.close()
