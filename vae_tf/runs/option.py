"""The options of a configuration that only some presets or objectives take."""

import re
from dataclasses import dataclass
from typing import Any

from vae_tf.utils.parameters import REQUIRED, Parameter
from vae_tf.utils.registry import OBJECTIVES, PRESETS

REGISTRIES = {"preset": PRESETS, "objective": OBJECTIVES}

# What JSON and a command line can hold, the widest first.
_PLAIN = {
    "Sequence[int]": tuple[int, ...],
    "str": str,
    "float": float,
    "int": int,
    "bool": bool,
}

_TYPE = re.compile(r"^\(?(?:int|float|bool|str|tuple|sequence)\b[^.]*\.(?: |$)")
_DEFAULT = re.compile(r" ?\bDefaults to .*$")


@dataclass(frozen=True)
class Option:
    """An option, and the presets or objectives that take it.

    Attributes:
        name: str. That of their parameter.
        field: "preset" or "objective". The field of the configuration that names who takes it.
        type: Of the value: `float`, or `float | None` where None is the default.
        default: What stands for "not given". The objectives' own default where they have the same
            one, else None. Always None for an option of presets.
        takers: dict. Name of a preset or objective -> its own parameter.
    """

    name: str
    field: str
    type: Any
    default: Any
    takers: dict[str, Parameter]

    @property
    def built_in(self) -> bool:
        """Whether a preset or an objective of the package takes it."""
        return any(map(REGISTRIES[self.field].is_built_in, self.takers))

    @property
    def text(self) -> str:
        """What it is, in the words of the docstrings; with names where these differ."""
        by_text: dict[str, list[str]] = {}
        for name, parameter in self.takers.items():
            by_text.setdefault(_DEFAULT.sub("", without_type(parameter.text)), []).append(name)
        if len(by_text) == 1:
            return next(iter(by_text))
        return " ".join(f"{', '.join(names)}: {text}" for text, names in by_text.items())


def options_of(field: str, others: set[str]) -> dict[str, Option]:
    """The options of all presets or of all objectives, by name.

    An option is a parameter with a default, of a type that a command line can hold. A parameter
    without a default is filled in from the data.

    Args:
        field: "preset" or "objective".
        others: Names with another meaning in a configuration, which are none of these options.

    Raises:
        ValueError: if two presets, or two objectives, have a parameter of one name and of two types.
    """
    registry = REGISTRIES[field]
    takers: dict[str, dict[str, Parameter]] = {}
    for name in registry.names():
        for parameter in registry.parameters(name):
            plain = _plain(parameter) is not None and parameter.default is not REQUIRED
            if plain and parameter.name not in others:
                takers.setdefault(parameter.name, {})[name] = parameter
    return {option: _option(option, field, found) for option, found in takers.items()}


def without_type(text: str) -> str:
    """What a docstring says of a parameter, without its type and without backquotes."""
    return _TYPE.sub("", text).replace("`", "")


def takes_warm_up(objective: str) -> bool:
    """Whether the `beta` of an objective may be a schedule.

    Args:
        objective: str. Its name.
    """
    parameters = {p.name: p for p in OBJECTIVES.parameters(objective)}
    return "beta" in parameters and "Schedule" in parameters["beta"].annotation


def _option(name: str, field: str, takers: dict[str, Parameter]) -> Option:
    types = {_plain(parameter) for parameter in takers.values()}
    if len(types) > 1:
        raise ValueError(f"The option {name!r} has two types, in {' and '.join(takers)}.")
    kind: Any = types.pop()
    defaults = [parameter.default for parameter in takers.values()]
    default = None
    if field == "objective" and all(value == defaults[0] for value in defaults):
        default = defaults[0]
    return Option(name, field, kind | None if default is None else kind, default, takers)


def _plain(parameter: Parameter) -> Any:
    alternatives = parameter.annotation.split(" | ")
    return next((kind for text, kind in _PLAIN.items() if text in alternatives), None)
