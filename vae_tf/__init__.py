"""Variational auto-encoders for Keras 3 and TensorFlow Probability. The public names, loaded on use."""

from typing import Any

import lazy_loader

from vae_tf.utils.backend import require_tensorflow as _require_tensorflow

# Loaded on use, so that `vae-tf --help` does not wait for TensorFlow. `__init__.pyi` lists the names.
_getattr, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name in __all__:
        _require_tensorflow()
    return _getattr(name)
