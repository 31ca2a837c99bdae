"""Serves any SavedModel the way TensorFlow Serving does, and calls such servers.

The public names are those of the client; they load on use and need no TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vae_tf_serving.client.async_client import AsyncClient
    from vae_tf_serving.client.client import Client
    from vae_tf_serving.client.error import ServingError

__all__ = ["AsyncClient", "Client", "ServingError"]

_MODULES = {"AsyncClient": "async_client", "Client": "client", "ServingError": "error"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.client.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
