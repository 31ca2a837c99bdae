"""Main program of the server: from the flags to the exit code."""

import gc
import importlib.metadata
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from vae_tf_serving.startup import external, flags
from vae_tf_serving.startup.start_error import StartError

FAILED = 255
"""Exit code of a server that cannot start, that of upstream."""

_GC_THRESHOLD = 10_000  # the current requests alone have more objects than Python's default of 700
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _StoppedEarlyError(BaseException):
    """Signal that arrived before the server listened."""


def main(arguments: Sequence[str]) -> int:
    """Runs a server until SIGTERM or SIGINT, then completes the current requests.

    Args:
        arguments: Flags, without the program's name.

    Returns:
        0 after a signal, `--help` or `--version`; 255 if the server cannot start, with one sentence
        on stderr. Does not return if `tensorflow_model_server` replaces this process.
    """
    if "--help" in arguments or "-h" in arguments:
        print(flags.usage())
        return 0
    try:
        options = flags.parse(arguments)
        _log_to_stderr(options.log_level)
        if options.version:
            _print_versions()
            return 0
        binary = external.find(options.engine)
        if binary is not None:
            external.replace_process(binary, arguments)
        flags.warn_of_ignored(arguments)
        return _run(options)
    except flags.FlagError as error:
        print(f"error: {error}", file=sys.stderr)
    except StartError as error:
        if error.detail:
            print(error.detail, file=sys.stderr)
        print(f"Failed to start server. Error: {error}", file=sys.stderr)
    return FAILED


def _run(options: flags.Options) -> int:
    stop = threading.Event()
    listening = left = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()
        if not listening:
            raise _StoppedEarlyError

    previous = {number: signal.signal(number, on_signal) for number in _signals()}
    try:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        from vae_tf_serving.server import Server  # imports TensorFlow

        gc.set_threshold(_GC_THRESHOLD)
        server = Server(options)
        try:
            server.start()
            listening = True
            while not stop.wait(3600):  # a wait without a timeout blocks signals on some systems
                pass
            logging.getLogger(__name__).info("stopping: answering the requests under way")
            server.stop()
        finally:
            left = not server.stopped
    except _StoppedEarlyError:
        pass
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if left:  # Python would wait for the thread of a run that cannot be interrupted
        os._exit(0)
    return 0


def _signals() -> tuple[signal.Signals, ...]:
    """Returns the signals to handle; none outside the main thread, where Python refuses handlers."""
    if threading.current_thread() is not threading.main_thread():
        return ()
    return (signal.SIGTERM, signal.SIGINT)


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(format=_FORMAT, level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("vae_tf_serving").setLevel(level.upper())
    # uvicorn warns of every request that is not HTTP.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def _print_versions() -> None:
    print(f"vae_tf_serving: {importlib.metadata.version('vae-tf')}")
    print(f"TensorFlow Library: {importlib.metadata.version('tensorflow')}")
