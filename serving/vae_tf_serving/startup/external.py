"""Replaces this process with `tensorflow_model_server`, if it is on the PATH."""

import logging
import os
import shutil
from collections.abc import Sequence

from vae_tf_serving.startup import flags

logger = logging.getLogger(__name__)

BINARY = "tensorflow_model_server"


def find(engine: str) -> str | None:
    """Returns the path of the binary to run, or None for the embedded server.

    Args:
        engine: `auto` (the binary if it is on the PATH), `embedded` or `tensorflow_model_server`.

    Raises:
        flags.FlagError: The binary was requested and is not on the PATH.
    """
    if engine == "embedded":
        return None
    path = shutil.which(BINARY)
    if path is None and engine == BINARY:
        raise flags.FlagError(
            f"--engine={BINARY}, but there is no {BINARY} on the PATH; "
            "install it or take --engine=embedded."
        )
    return path


def command(path: str, arguments: Sequence[str]) -> list[str]:
    """Returns the command line of the binary: every flag that it has, in its own syntax.

    Flags of this server are omitted; `--host` has no counterpart. A port `auto` is refused, because
    the binary cannot choose a free one.

    Raises:
        flags.FlagError: A port is `auto`.
    """
    line = [path]
    for name, value in flags.split(arguments):
        if name in flags.OWN:
            continue
        if value == "auto" and name.endswith("port"):
            raise flags.FlagError(f"{BINARY} cannot pick a port itself; give --{name} a number.")
        line.append(f"--{name}" if value is None else f"--{name}={value}")
    return line


def replace_process(path: str, arguments: Sequence[str]) -> None:
    """Executes the binary under this process id, so that signals and exit code are its own.

    A warning is logged, because the binary listens on every address.
    """
    line = command(path, arguments)
    logger.warning(
        "%s is on the PATH and serves in place of the embedded server: it listens on every address, "
        "whatever --host says; --engine=embedded does not",
        path,
    )
    logger.info("running %s", " ".join(line))
    os.execv(path, line)
