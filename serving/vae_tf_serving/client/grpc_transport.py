"""Transports over gRPC, blocking and for asyncio."""

import os
from typing import Any

import grpc
import grpc.aio

from vae_tf_serving.client.error import ServingError
from vae_tf_serving.client.of_process import OfProcess
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.protocol import Call

_CHANNEL = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # By default gRPC's waits before it reconnects grow to two minutes, beyond the deadlines here.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
]


class GrpcTransport:
    """gRPC channel; thread-safe. A forked child has a channel of its own.

    Args:
        options: Address and TLS.
    """

    def __init__(self, options: Options) -> None:
        self._channel = OfProcess(lambda: _open_channel(grpc, options))

    def send(self, call: Call, timeout: float) -> bytes:
        """Returns the response, within `timeout` seconds."""
        try:
            return self._channel.get().unary_unary(call.path)(call.body, timeout=timeout)
        except grpc.RpcError as error:
            raise _serving_error(error) from error

    def close(self) -> None:
        """Closes the channel."""
        self._channel.get().close()


class AsyncGrpcTransport:
    """gRPC channel, opened by the first call in the event loop of that call.

    Args:
        options: Address and TLS.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._channel: Any = None
        self._pid = os.getpid()

    async def send(self, call: Call, timeout: float) -> bytes:
        """Returns the response, within `timeout` seconds.

        Raises:
            ServingError: FAILED_PRECONDITION in a child forked after the first call, which grpc.aio
                does not support.
        """
        if self._channel is None:
            self._channel, self._pid = _open_channel(grpc.aio, self._options), os.getpid()
        if self._pid != os.getpid():
            raise ServingError(
                "FAILED_PRECONDITION",
                "This AsyncClient was used over gRPC before the process forked, which gRPC's asyncio "
                "API does not survive; start processes by 'spawn', or use REST or the blocking Client.",
            )
        try:
            return await self._channel.unary_unary(call.path)(call.body, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise _serving_error(error) from error

    async def close(self) -> None:
        """Closes the channel."""
        if self._channel is not None and self._pid == os.getpid():
            await self._channel.close()


def _open_channel(module: Any, options: Options) -> Any:
    """Opens a channel of `module`, which is `grpc` or `grpc.aio`."""
    if not options.has_tls:
        return module.insecure_channel(options.grpc_target, _CHANNEL)
    credentials = grpc.ssl_channel_credentials(**options.grpc_certificates())
    return module.secure_channel(options.grpc_target, credentials, _CHANNEL)


def _serving_error(error: Any) -> ServingError:
    """Converts a `grpc.RpcError` or `grpc.aio.AioRpcError`."""
    return ServingError(error.code().name, error.details() or "")
