"""The options of `vae-tf train`: those of `TrainingConfig`, its presets and its objectives."""

import inspect
import re
import typing
from typing import Annotated, Any

import typer
from rich.markup import escape

from vae_tf.runs.config import TrainingConfig
from vae_tf.runs.option import REGISTRIES, Option, without_type
from vae_tf.utils.errors import InputError
from vae_tf.utils.parameters import argument_texts

# The fields with which the panels of `--help` begin.
_PANELS = {"dataset": "Data", "preset": "Model", "objective": "Objective", "epochs": "Training"}

_SIZES, _IMAGE_SIZE, _NAMES = tuple[int, ...], tuple[int, int], tuple[str, ...]


def configuration_options() -> list[inspect.Parameter]:
    """Parameters for Typer, one for each field and option of a `TrainingConfig` but the dataset.

    Their help is what the docstrings say.
    """
    texts = argument_texts(inspect.getdoc(TrainingConfig) or "")
    hints = typing.get_type_hints(TrainingConfig)
    options = TrainingConfig.options().values()
    fields = TrainingConfig.own_fields()
    panel, found = "", []
    for name, default in fields.items():
        panel = _PANELS.get(name, panel)
        text = without_type(texts[name])
        if name in REGISTRIES:
            text += f" One of {', '.join(REGISTRIES[name].names())}."
        if name != "dataset":
            found.append(_parameter(name, hints[name], default, panel, text))
        of_field = [option for option in options if option.field == name]
        found += [
            _parameter(o.name, o.type, o.default, panel, o.text, _defaults(o)) for o in of_field
        ]
    return found


def parsed(name: str, value: Any) -> Any:
    """The value of a field from the command line, where sizes are text.

    Args:
        name: str. The field or option.
        value: What Typer has made of it.

    Raises:
        InputError: for a text that is no sizes.
    """
    options = TrainingConfig.options()
    hint = options[name].type if name in options else typing.get_type_hints(TrainingConfig)[name]
    if hint == _NAMES:
        return tuple(value)
    if _SIZES in _alternatives(hint):
        return _sizes(name, value, r"\d+(,\d+)*", "500 or 256,128")
    if _IMAGE_SIZE in _alternatives(hint):
        sizes = _sizes(name, value, r"\d+(x\d+)?", "64 or 64x48")
        return sizes * 2 if len(sizes) == 1 else sizes
    return value


def _parameter(
    name: str, hint: Any, default: Any, panel: str, text: str, defaults: str | bool = True
) -> inspect.Parameter:
    alternatives = _alternatives(hint)
    sizes = {_SIZES: "<int,...>", _IMAGE_SIZE: "<int>[x<int>]"}
    metavar = next((sizes[kind] for kind in alternatives if kind in sizes), None)
    kind = str | None if metavar else hint
    if hint == _NAMES:  # an option that may be given several times
        kind, default, metavar = list[str], list(default), "COLUMN"
    # A flag that is off can only be switched on; only one that is on needs `--no-...`.
    flag = [f"--{name.replace('_', '-')}"] if bool in alternatives and not default else []
    option = typer.Option(
        *flag, help=escape(text), metavar=metavar, rich_help_panel=panel, show_default=defaults
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _defaults(option: Option) -> str:
    """Who takes an option, and with which default: "elbo 1, iwae 5"."""
    return ", ".join(f"{name} {_shown(p.default)}" for name, p in option.takers.items())


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or "none"
    return f"{default:g}" if isinstance(default, float) else str(default)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return (hint,) if typing.get_origin(hint) is tuple else typing.get_args(hint) or (hint,)


def _sizes(name: str, text: str, pattern: str, examples: str) -> tuple[int, ...]:
    if not re.fullmatch(pattern, text):
        option = f"--{name.replace('_', '-')}"
        raise InputError(f"{option} is {text!r}, expected sizes such as {examples}.")
    return tuple(int(size) for size in re.split("[,x]", text))
