"""The decorators of the commands: errors in one line, TensorFlow without its start-up notes."""

import contextlib
import functools
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import typer

from vae_tf.utils.backend import require_tensorflow
from vae_tf.utils.errors import InputError

FILE_ERROR, INPUT_ERROR, INTERRUPTED = 1, 2, 130

_STDERR = 2
# absl's prefix, as in "I0000 00:00:1795259148.133884   11964 cudart_stub.cc:31] Could not ...".
_NOTE = re.compile(rb"WARNING: All log messages before absl|[IW]\d{4} [\d:.]+ +\d+ \S+\] ")
_NO_GPU = re.compile(rb"E\d{4} .*cuInit")


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Decorates the function of a command.

    `InputError` becomes one line on stderr and exit code 2, `OSError` (a full disk, no permission)
    one line and 1, Ctrl-C one line and 130. Everything else is a defect and keeps its traceback.

    Args:
        function: Raises what the Python API raises.
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            require_tensorflow()
            function(*args, **kwargs)
        except InputError as error:
            _exit(f"error: {error}", INPUT_ERROR)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            _exit(f"error: {where}{error.strerror or error}.", FILE_ERROR)
        except KeyboardInterrupt as error:
            _exit(str(error) or "interrupted.", INTERRUPTED)

    return run


def tensorflow_command(function: Callable[..., None]) -> Callable[..., None]:
    """`command`, for a function that needs TensorFlow: imports it first, quietly."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        import_tensorflow()
        function(*args, **kwargs)

    return command(run)


def import_tensorflow() -> None:
    """Imports TensorFlow and starts its devices without the notes that C++ writes meanwhile.

    They go to stderr before TensorFlow looks at any log level. Errors and all else stay; that CUDA
    does not start is no error on a machine without a GPU. Afterwards the log level has its say:
    only errors, unless the user has set `TF_CPP_MIN_LOG_LEVEL`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "tensorflow" in sys.modules:
        return
    with _without_notes():
        import tensorflow as tf
        from absl import logging

        # TensorFlow Datasets remarks at each load that an IDX folder's configuration is custom.
        logging.set_verbosity(logging.ERROR)
        tf.config.list_logical_devices()


def _exit(line: str, code: int) -> NoReturn:
    typer.echo(" ".join(line.split()), err=True)
    raise typer.Exit(code)


@contextlib.contextmanager
def _without_notes() -> Iterator[None]:
    sys.stderr.flush()
    terminal = os.dup(_STDERR)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, _STDERR)
            os.close(terminal)
            caught.seek(0)
            for line in caught:
                if not (_NOTE.match(line) or (_NO_GPU.match(line) and not _has_gpu())):
                    os.write(_STDERR, line)


def _has_gpu() -> bool:
    return os.path.exists("/dev/nvidia0")
