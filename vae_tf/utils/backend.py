"""Check that Keras runs on TensorFlow."""

import os
import sys

from vae_tf.utils.errors import InputError

_REMEDY = "vae_tf needs the TensorFlow backend: unset it, or set KERAS_BACKEND=tensorflow."


def require_tensorflow() -> None:
    """Makes Keras use TensorFlow, or raises `InputError`.

    Cheap: reads the environment and `sys.modules`, imports nothing. Without `KERAS_BACKEND` in the
    environment, it is set, so that a `keras.json` that names another backend has no say here.
    """
    name = os.environ.get("KERAS_BACKEND")
    if name and name != "tensorflow":
        raise InputError(f"KERAS_BACKEND is {name!r}, but {_REMEDY}")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        return
    running = sys.modules["keras"].config.backend()
    if running != "tensorflow":
        raise InputError(f"Keras is already running on the {running!r} backend, but {_REMEDY}")
