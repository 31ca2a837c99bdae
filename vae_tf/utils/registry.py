"""Objectives and presets by name."""

import ast
import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from vae_tf.utils.errors import InputError
from vae_tf.utils.parameters import REQUIRED, Parameter, parse_parameters, read_parameters

_Thing = TypeVar("_Thing", bound=Callable[..., Any])
_ROOT = Path(__file__).parents[1]


class _Source(NamedTuple):
    """Where a decorated function or class is, and what it takes."""

    module: str
    attribute: str
    parameters: tuple[Parameter, ...]


class Registry:
    """Functions or classes of one kind by name: those of a package, and those registered from elsewhere.

    The decorator `register` beside a function or class is all that gives it its name. Names and
    parameters of the package are read from its source, where the decorator is looked for, since an
    import would also import TensorFlow, and `vae-tf train --help` would take seconds. The source is
    always there and always up to date, which a generated list would not be. What is registered
    from outside of the package is there already, and `inspect` reads it.

    Args:
        kind: str. What they are, in messages.
        package: str. Folder of `vae_tf`.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._registered: dict[str, Callable[..., Any]] = {}

    def register(self, name: str) -> Callable[[_Thing], _Thing]:
        """Decorates a function or class, and gives it a name.

        In the package the name is a literal, and so are the defaults of the parameters.

        Args:
            name: str. In `TrainingConfig` and on the command line.

        Raises:
            ValueError: if something from another module has the name.
        """

        def named(thing: _Thing) -> _Thing:
            known = self._sources.get(name) or self._registered.get(name)
            module = (
                known.module if isinstance(known, _Source) else getattr(known, "__module__", "")
            )
            if known is not None and module != thing.__module__:
                raise ValueError(f"The {self.kind} {name!r} of {module} has that name already.")
            self._registered[name] = thing
            return thing

        return named

    def unregister(self, name: str) -> None:
        """Takes back a `register` from outside of the package."""
        del self._registered[name]

    def names(self) -> list[str]:
        """All names, sorted; those that need fewest arguments come first."""
        return sorted({*self._sources, *self._registered}, key=lambda n: (self._needed(n), n))

    def is_built_in(self, name: str) -> bool:
        """Whether the package has it."""
        return name in self._sources

    def parameters(self, name: str) -> tuple[Parameter, ...]:
        """What the function or the constructor takes.

        Raises:
            InputError: for an unknown name.
        """
        self.check(name)
        return self._parameters(name)

    def get(self, name: str) -> Callable[..., Any]:
        """The function or class. Imports its module.

        Raises:
            InputError: for an unknown name.
        """
        self.check(name)
        if name in self._sources:
            source = self._sources[name]
            return getattr(importlib.import_module(source.module), source.attribute)
        return self._registered[name]

    def check(self, name: Any) -> None:
        """Looks whether there is one of this name.

        Raises:
            InputError: if not, with the names there are.
        """
        if name not in [*self._sources, *self._registered]:
            raise InputError(
                f"There is no {self.kind} {name!r}; give one of {', '.join(self.names())}."
            )

    def _parameters(self, name: str) -> tuple[Parameter, ...]:
        if name in self._sources:
            return self._sources[name].parameters
        return read_parameters(self._registered[name])

    def _needed(self, name: str) -> int:
        return sum(parameter.default is REQUIRED for parameter in self._parameters(name))

    @functools.cached_property
    def _sources(self) -> dict[str, _Source]:
        found = {}
        for path in sorted((_ROOT / self._package).rglob("*.py")):
            module = ".".join(path.relative_to(_ROOT.parent).with_suffix("").parts)
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    for name in _names_of(node):
                        found[name] = _Source(module, node.name, parse_parameters(node))
        return found


def _names_of(node: ast.FunctionDef | ast.ClassDef) -> list[str]:
    """The names in decorators such as `@OBJECTIVES.register("elbo")`."""
    return [
        ast.literal_eval(call.args[0])
        for call in node.decorator_list
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "register"
    ]


# Here, below the packages, because they are asked before the packages are imported.
OBJECTIVES = Registry("objective", "objectives")
PRESETS = Registry("preset", "presets")
