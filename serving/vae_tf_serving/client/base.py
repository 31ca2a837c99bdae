"""Base class of the blocking and the asyncio client."""

from typing import Any

from vae_tf_serving.client.operations import Operations
from vae_tf_serving.client.options import Options, Path
from vae_tf_serving.client.protocol import Protocol


class BaseClient:
    """Client with options, and the protocol and the transport of its address.

    Only the libraries of that protocol are imported. The arguments are those of `Client`.
    """

    def __init__(
        self,
        address: str,
        *,
        model_name: str = "vae",
        version: int | None = None,
        label: str | None = None,
        ca: Path | None = None,
        key: Path | None = None,
        cert: Path | None = None,
        deadline: float = 60.0,
        max_retries: int = 5,
        max_rows: int = 64,
        max_message_bytes: int = 16 * 2**20,
    ) -> None:
        self._options = Options(
            address,
            model_name=model_name,
            version=version,
            label=label,
            ca=ca,
            key=key,
            cert=cert,
            deadline=deadline,
            max_retries=max_retries,
            max_rows=max_rows,
            max_message_bytes=max_message_bytes,
        )
        self._operations = Operations(self._options, _protocol(self._options))
        self._transport = self._open(self._options)

    def _open(self, options: Options) -> Any:
        """Makes the transport."""
        raise NotImplementedError


def _protocol(options: Options) -> Protocol:
    if options.is_rest:
        from vae_tf_serving.client.rest_protocol import RestProtocol

        return RestProtocol(options)
    from vae_tf_serving.client.grpc_protocol import GrpcProtocol

    return GrpcProtocol(options)
