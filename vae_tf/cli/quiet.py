"""Keeps TensorFlow's start-up notes off the terminal."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

_STDERR = 2
# absl's prefix, as in "I0000 00:00:1795259148.133884   11964 cudart_stub.cc:31] Could not ...".
_NOTE = re.compile(rb"WARNING: All log messages before absl|[IW]\d{4} [\d:.]+ +\d+ \S+\] ")
_NO_GPU = re.compile(rb"E\d{4} .*cuInit")


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
