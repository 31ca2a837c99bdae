"""Reserves ports and listens on sockets."""

import socket

from vae_tf_serving.startup.flags import AUTO_PORT
from vae_tf_serving.startup.start_error import StartError

_BACKLOG = 2048


def reserve(host: str, port: int, flag: str) -> socket.socket:
    """Binds a socket to an address on which no process listens; does not listen yet.

    Args:
        host: Name or address.
        port: A number, or `AUTO_PORT` for a free one.
        flag: Flag of the port, for messages.

    Raises:
        StartError: The port is taken, or the host is not an address of this machine.
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
    """Listens on a socket of `reserve`.

    Raises:
        StartError: Another process listens there now.
    """
    try:
        bound.listen(_BACKLOG)
    except OSError as error:
        host, _, port = address.rpartition(":")
        raise _taken(host, int(port), flag, error) from error


def free(bound: socket.socket, flag: str) -> str:
    """Closes a socket of `reserve`, so that a library can open its own.

    Returns:
        `HOST:PORT`.

    Raises:
        StartError: Another process listens there now.
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
    """Returns `HOST:PORT` of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_free(family: int, address: tuple) -> None:
    """Listens on a socket of its own, and closes it; binding alone does not find a listener."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)


def _taken(host: str, port: int, flag: str, error: OSError) -> StartError:
    return StartError(
        f"cannot listen on {host}:{port}: {error.strerror}; "
        f"give another {flag}, or {flag}=auto for a free one."
    )
