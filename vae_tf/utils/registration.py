"""Registration of the classes of vae_tf with Keras before their modules are imported."""

import importlib.abc
import importlib.util
import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

_PACKAGE = "vae_tf"
_REGISTERED = re.compile(
    rf'^@keras\.saving\.register_keras_serializable\(package="{_PACKAGE}"\)\n'
    r"(?:@.+\n)*(?:class|def) (\w+)",
    re.MULTILINE,
)


def register_lazily() -> None:
    """Makes Keras find every class of vae_tf by its name, as soon as Keras is imported.

    `import vae_tf` imports no class. `keras.saving.load_model` looks classes up by the name under
    which they are registered, and gets the class from a proxy that imports its module.
    """
    if "keras" in sys.modules:
        _after_import_of_keras()
    else:
        sys.meta_path.insert(0, _KerasFinder())


@cache
def registered() -> dict[str, str]:
    """Name -> module of what the sources of vae_tf register with Keras."""
    root = Path(__file__).parents[1]
    return {
        name: ".".join([_PACKAGE, *path.relative_to(root).with_suffix("").parts])
        for path in sorted(root.rglob("*.py"))
        for name in _REGISTERED.findall(path.read_text(encoding="utf-8"))
    }


class _KerasFinder(importlib.abc.MetaPathFinder):
    """Waits for an import of Keras.

    A hook of wrapt alone would do, but wrapt takes 30 ms to import, which `vae-tf --help` would
    wait for. TensorFlow, and so Keras, imports it anyway.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of Keras, None for any other module."""
        if fullname != "keras":
            return None
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        _after_import_of_keras()
        return importlib.util.find_spec(fullname)


def _after_import_of_keras() -> None:
    """Adds the proxies once Keras is imported, or now."""
    import wrapt

    def add_proxies(keras: ModuleType) -> None:
        classes = keras.saving.get_custom_objects()
        for name, module in registered().items():
            # A module that is imported replaces the proxies of its classes.
            classes.setdefault(f"{_PACKAGE}>{name}", wrapt.lazy_import(module, name))

    wrapt.register_post_import_hook(add_proxies, "keras")
