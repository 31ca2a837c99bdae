"""Options of the clients, and their retry policy."""

import dataclasses
import os
import ssl
from collections.abc import Mapping
from typing import Any

import tenacity

from vae_tf_serving.client.error import ServingError

_REST = ("http://", "https://")
_GRPC_TLS = "grpcs://"
_PATHS = ("unix:", "dns:", "ipv4:", "ipv6:", "xds:")  # schemes that gRPC resolves
Path = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class Options:
    """Arguments of `Client`, where they are described, and their checks.

    Raises:
        ValueError: An address without a port, `version` with `label`, `key` without `cert` or the
            reverse, or an invalid certificate.
        OSError: A certificate or key that cannot be read.
    """

    address: str
    model_name: str = "vae"
    version: int | None = None
    label: str | None = None
    ca: Path | None = None
    key: Path | None = None
    cert: Path | None = None
    deadline: float = 60.0
    max_retries: int = 5
    max_rows: int = 64
    max_message_bytes: int = 16 * 2**20

    def __post_init__(self) -> None:
        if self.version is not None and self.label is not None:
            raise ValueError("Both a version and a label were given; a request names one of them.")
        if (self.key is None) != (self.cert is None):
            raise ValueError("A client certificate needs both `key` and `cert`; one was given.")
        if self.deadline <= 0:
            raise ValueError(f"deadline is {self.deadline}, expected seconds above 0.")
        for name, least in {"max_retries": 0, "max_rows": 1, "max_message_bytes": 1}.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least {least}.")
        if self.is_rest:
            self._check_url()
        elif not self.address.startswith(_PATHS):
            _, colon, port = self.grpc_target.rpartition(":")
            if not colon or not port.isdigit():
                raise ValueError(
                    f"The address {self.address!r} has no port; give host:port, such as "
                    "localhost:8500, for gRPC, or http://localhost:8501 for REST."
                )
        if self.address.startswith("http://") and self._has_certificates:
            raise ValueError("Certificates were given with an http:// address; use https://.")

    def _check_url(self) -> None:
        import httpx  # only REST clients need it

        try:
            url = httpx.URL(self.address)
        except httpx.InvalidURL as error:
            raise ValueError(f"The address {self.address!r} is no URL: {error}.") from error
        if not url.host or (url.port is not None and not 0 < url.port < 2**16):
            raise ValueError(
                f"The address {self.address!r} has no host or no such port; give one such as "
                "http://localhost:8501."
            )

    @property
    def is_rest(self) -> bool:
        """Whether the address is one of REST."""
        return self.address.startswith(_REST)

    @property
    def grpc_target(self) -> str:
        """Address in the format of gRPC."""
        return self.address.removeprefix(_GRPC_TLS)

    @property
    def has_tls(self) -> bool:
        """Whether the connection uses TLS."""
        return self._has_certificates or self.address.startswith((_GRPC_TLS, "https://"))

    @property
    def _has_certificates(self) -> bool:
        return self.ca is not None or self.cert is not None

    def ssl_context(self) -> ssl.SSLContext:
        """Makes the TLS context of REST; gRPC uses it only to check the files."""
        context = ssl.create_default_context()
        if self.ca is not None:
            try:
                context.load_verify_locations(self.ca)
            except ssl.SSLError as error:
                raise ValueError(f"{self.ca} holds no PEM certificate: {error}.") from error
        if self.cert is not None:
            try:
                context.load_cert_chain(self.cert, self.key)
            except ssl.SSLError as error:
                raise ValueError(
                    f"{self.cert} and {self.key} are no PEM certificate and its key: {error}."
                ) from error
        return context

    def grpc_certificates(self) -> Mapping[str, Any]:
        """Returns the arguments of `grpc.ssl_channel_credentials`."""
        self.ssl_context()
        return {
            "root_certificates": _read(self.ca),
            "private_key": _read(self.key),
            "certificate_chain": _read(self.cert),
        }


def retry_policy(options: Options) -> dict[str, Any]:
    """Returns the arguments of tenacity's `Retrying` and `AsyncRetrying`.

    Only UNAVAILABLE is retried; all calls are idempotent. The waits are random, up to 0.2, 0.4, 0.8,
    ... 5 seconds, so that the clients of a restarted server do not reconnect at the same time.
    """
    return {
        "retry": tenacity.retry_if_exception(_is_unavailable),
        "wait": tenacity.wait_random_exponential(multiplier=0.2, max=5),
        "stop": tenacity.stop_after_attempt(options.max_retries + 1)
        | tenacity.stop_before_delay(options.deadline),
        "reraise": True,
    }


def _is_unavailable(error: BaseException) -> bool:
    return isinstance(error, ServingError) and error.code == "UNAVAILABLE"


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()
