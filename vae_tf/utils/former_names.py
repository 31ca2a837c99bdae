"""Old places of public names, kept with a `DeprecationWarning` that gives the new one."""

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

# Module before 0.2 -> module now. The names within are the same.
_MODULES = {
    "vae_tf.errors": "vae_tf.utils.errors",
    "vae_tf.export": "vae_tf.saved_models.export",
    "vae_tf.layers.distributions": "vae_tf.distributions",
    "vae_tf.loading": "vae_tf.models.loading",
    "vae_tf.objectives.terms": "vae_tf.inference",
    "vae_tf.vae": "vae_tf.models.vae",
}


class FormerModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import hook that makes `import vae_tf.vae` and the like give what is in the new module."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module that has moved, None for any other."""
        if fullname not in _MODULES:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        """Warns, and gives the module the names of the new one."""
        new = _MODULES[module.__name__]
        _warn(module.__name__, new)
        found = importlib.import_module(new)
        vars(module)["__getattr__"] = lambda name: getattr(found, name)


def find_former_modules() -> None:
    """Registers `FormerModules` once, after Python's own finders."""
    if not any(isinstance(finder, FormerModules) for finder in sys.meta_path):
        sys.meta_path.append(FormerModules())


def former_names(package: str, names: dict[str, str]) -> Callable[[str], Any]:
    """A module `__getattr__` for names that a package no longer has.

    Args:
        package: The package's `__name__`.
        names: Old name -> new place, as "vae_tf.layers.ElementwiseLayer".

    Returns:
        A function of a name. It warns and gives the object of the new place, and raises
        `AttributeError` for a name that is not in `names`.
    """

    def load_former(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        new = names[name]
        _warn(f"{package}.{name}", new)
        module, _, attribute = new.rpartition(".")
        return getattr(importlib.import_module(module), attribute)

    return load_former


def _warn(old: str, new: str) -> None:
    warnings.warn(f"{old} has moved to {new}; import it from there.", DeprecationWarning, 3)
