"""Sockets to listen on."""

import socket

from vae_tf_serving.startup.flags import AUTO_PORT
from vae_tf_serving.startup.start_error import StartError

_BACKLOG = 2048


def reserve(host: str, port: int, flag: str) -> socket.socket:
    """A socket bound to an address on which nobody listens; it does not listen either.

    Args:
        host: Name or address.
        port: A number, or `AUTO_PORT` for a free one.
        flag: Where the port came from, for messages.

    Raises:
        StartError: The port is taken, or the host is none of this machine's.
    """
    try:
        found = socket.getaddrinfo(host, max(port, 0), type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise StartError(f"--host={host} is no address: {error.strerror}.") from error
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(address)
        if port != AUTO_PORT:
            _check_free(family, address)
    except OSError as error:
        bound.close()
        raise _taken(host, port, flag, error) from error
    return bound


def listen(bound: socket.socket, address: str, flag: str) -> None:
    """Starts to listen on what `reserve` bound.

    Raises:
        StartError: Somebody else does by now.
    """
    try:
        bound.listen(_BACKLOG)
    except OSError as error:
        host, _, port = address.rpartition(":")
        raise _taken(host, int(port), flag, error) from error


def free(bound: socket.socket, flag: str) -> str:
    """Closes what `reserve` bound, for somebody who opens sockets by himself.

    Returns:
        `HOST:PORT`.

    Raises:
        StartError: Somebody else listens there by now.
    """
    address = of(bound)
    try:
        _check_free(bound.family, bound.getsockname())
    except OSError as error:
        host, _, port = address.rpartition(":")
        raise _taken(host, int(port), flag, error) from error
    finally:
        bound.close()
    return address


def of(bound: socket.socket) -> str:
    """`HOST:PORT` of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_free(family: int, address: tuple) -> None:
    """Listens for a moment, on a socket of its own: binding alone does not show a listener."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)


def _taken(host: str, port: int, flag: str, error: OSError) -> StartError:
    return StartError(
        f"cannot listen on {host}:{port}: {error.strerror}; "
        f"give another {flag}, or {flag}=auto for a free one."
    )
