"""TLS credentials of the gRPC port, from `--ssl_config_file`."""

from typing import Any

import grpc


class TlsError(ValueError):
    """Key or certificate that is not PEM text; the message is one sentence."""


def credentials(config: Any, path: str) -> grpc.ServerCredentials:
    """Makes the server credentials.

    Args:
        config: SSLConfig, whose fields hold PEM contents. With `client_verify`, clients need a
            certificate that is signed by `custom_ca`.
        path: Path of the file, for messages.

    Raises:
        TlsError: A key or certificate is missing, or not PEM text.
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
