"""Calls over gRPC."""

from typing import Any

import grpc

from vae_tf_serving.client.error import ServingError
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.protocol import Call

_CHANNEL = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # gRPC's own waits before it connects anew grow to two minutes, past any deadline here.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
]


class GrpcTransport:
    """One channel; threads may share it.

    Args:
        options: Address and TLS.
    """

    def __init__(self, options: Options) -> None:
        self._channel = open_channel(grpc, options)

    def send(self, call: Call, timeout: float) -> bytes:
        """The answer to `call`, which must come within `timeout` seconds."""
        try:
            return self._channel.unary_unary(call.path)(call.body, timeout=timeout)
        except grpc.RpcError as error:
            raise serving_error(error) from error

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()


def open_channel(module: Any, options: Options) -> Any:
    """A channel of `module`, which is `grpc` or `grpc.aio`."""
    if not options.has_tls:
        return module.insecure_channel(options.grpc_target, _CHANNEL)
    credentials = grpc.ssl_channel_credentials(**options.grpc_certificates())
    return module.secure_channel(options.grpc_target, credentials, _CHANNEL)


def serving_error(error: Any) -> ServingError:
    """What a `grpc.RpcError` or `grpc.aio.AioRpcError` says."""
    return ServingError(error.code().name, error.details() or "")
