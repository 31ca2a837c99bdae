"""TLS of the gRPC port, from the proto of `--ssl_config_file`."""

from typing import Any

import grpc


class TlsError(ValueError):
    """A key or certificate that is no PEM text; the message is one sentence."""


def credentials(config: Any, path: str) -> grpc.ServerCredentials:
    """The server's key and certificate, and whom it trusts.

    Args:
        config: SSLConfig, whose fields hold PEM contents; `client_verify` asks clients for a
            certificate that `custom_ca` has signed.
        path: Of the file, for messages.

    Raises:
        TlsError: One of them is missing or no PEM.
    """
    parts = {"server_key": config.server_key, "server_cert": config.server_cert}
    if config.custom_ca or config.client_verify:
        parts["custom_ca"] = config.custom_ca
    for name, text in parts.items():
        if "-----BEGIN " not in text:
            raise TlsError(
                f"{name} in {path} is no PEM text; put the contents there, not the name, of a file."
            )
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )
