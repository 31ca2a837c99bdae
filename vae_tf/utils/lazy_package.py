"""Packages whose names are imported on first use."""

from collections.abc import Callable
from typing import Any

import lazy_loader

from vae_tf.utils.backend import require_tensorflow
from vae_tf.utils.former_names import former_names


def lazy_package(
    package: str, file: str, former: dict[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Makes the names of a package's `__init__.pyi` load on first use.

    `vae-tf --help` and the reading of a run thus do not wait for TensorFlow.

    Args:
        package: The package's `__name__`.
        file: Its `__file__`.
        former: Names that it no longer has; see `former_names`.

    Returns:
        The package's `__getattr__`, `__dir__` and `__all__`.
    """
    attached, list_names, names = lazy_loader.attach_stub(package, file)
    load_former = former_names(package, former or {})

    def load(name: str) -> Any:
        if name not in names:
            return load_former(name)
        require_tensorflow()
        return attached(name)

    return load, list_names, names
