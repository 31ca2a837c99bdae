"""The configuration of a training, which is saved with the run."""

import dataclasses
import json
import math
import os
import types
import typing
from collections.abc import Sequence
from typing import Any

from vae_tf.runs.option import REGISTRIES, Option, options_of, takes_warm_up
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.registry import OBJECTIVES, PRESETS

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
WARM_UPS = ("linear", "cyclical", "sigmoid")

# Left out of config.json at their default, so that version 0.1, which lacks them, reads it.
_NEWER = ("dequantize", "drop")

_OWN_OPTIONS = {"preset": "preset_options", "objective": "objective_options"}


@dataclasses.dataclass(frozen=True, init=False)
class TrainingConfig:
    """What to train, on what, and how. Everything random in the training comes from `seed`.

    Beside its own fields it has those options of presets and objectives that their signatures
    name: `TrainingConfig(preset="conv", filters=(32, 64), beta=4.0).beta`. They are described by
    `vae-tf train --help` and in the docstrings of the preset and the objective. One that was not
    given has the objectives' own default where they have the same one, and is None elsewhere: the
    preset's or objective's own default then holds.

    Attributes:
        dataset: str. Name or path for `vae_tf.data.load`.
        binarize: str or None. "threshold", "static" or "dynamic". Defaults to none.
        dequantize: bool. Add uniform noise of one level to 8-bit pixels, for densities.
        data_dir: str or None. Where prepared datasets are kept.
        manual_dir: str or None. Files fetched by hand.
        image_size: tuple of int or None. Height and width in pixels that images are scaled to.
        standardize: bool. Columns of a table to mean 0 and deviation 1.
        label_column: str or None. Column of a table with the classes.
        drop: tuple of str. Column of a table to leave out; on the command line once for each.
        on_corrupt: str. "raise" or "skip", for image files that cannot be decoded.
        preset: str. Networks of the encoder and the decoder.
        preset_options: dict. The options of presets.
        latent_dim: int. Latent dimensions.
        likelihood: str or None. p(x|z): "bernoulli", "normal", ... Defaults to what the data need.
        posterior: str. q(z|x): "normal", ...
        prior: str. p(z): "standard_normal", ...
        objective: str. What is maximised.
        objective_options: dict. The options of objectives.
        warm_up: str or None. How beta rises from 0: "linear", "cyclical" or "sigmoid".
        warm_up_epochs: int. Epochs until beta has risen; all four cycles of a cyclical warm-up.
        epochs: int. Passes over the data.
        batch_size: int. Examples a step.
        learning_rate: float. Of Adam.
        seed: int. Everything random comes from it. At least 0.
        precision: str. "float32", "mixed_float16" or "mixed_bfloat16".

    Raises:
        InputError: for a value that is none of these, or one that the preset or the objective does
            not take.
    """

    dataset: str = "digits"
    binarize: str | None = None
    dequantize: bool = False
    data_dir: str | None = None
    manual_dir: str | None = None
    image_size: tuple[int, int] | None = None
    standardize: bool = False
    label_column: str | None = None
    drop: tuple[str, ...] = ()
    on_corrupt: str = "raise"
    preset: str = "mlp"
    preset_options: dict[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    latent_dim: int = 20
    likelihood: str | None = None
    posterior: str = "normal"
    prior: str = "standard_normal"
    objective: str = "elbo"
    objective_options: dict[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    warm_up: str | None = None
    warm_up_epochs: int = 0
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    seed: int = 0
    precision: str = "float32"

    def __init__(self, dataset: str | os.PathLike[str] = dataset, **values: Any) -> None:
        # `dataclasses.replace` gives the options in their dicts, and the changes beside them.
        nested = [values.pop(name, {}) for name in _OWN_OPTIONS.values()]
        values = {"dataset": dataset, **nested[0], **nested[1], **values}
        hints = typing.get_type_hints(type(self))
        fields, options = self.own_fields(), self.options()
        unknown = sorted(values.keys() - fields.keys() - options.keys())
        if unknown:
            raise TypeError(f"TrainingConfig has no field {', '.join(map(repr, unknown))}.")
        for name, default in fields.items():
            value = _checked(name, values.get(name, default), hints[name])
            object.__setattr__(self, name, value)
        self._check_fields()
        for field, own_options in _OWN_OPTIONS.items():
            own = [option for option in options.values() if option.field == field]
            object.__setattr__(self, own_options, self._of_options(own, values))

    def __getattr__(self, name: str) -> Any:
        for own_options in _OWN_OPTIONS.values():
            if name in vars(self).get(own_options, {}):
                return vars(self)[own_options][name]
        raise AttributeError(f"TrainingConfig has no field {name!r}.")

    @classmethod
    def own_fields(cls) -> dict[str, Any]:
        """The fields that are no options of presets or objectives: name -> default."""
        fields = dataclasses.fields(cls)
        return {f.name: f.default for f in fields if f.name not in _OWN_OPTIONS.values()}

    @classmethod
    def options(cls) -> dict[str, Option]:
        """The options of presets and objectives by name.

        Raises:
            ValueError: if a preset and an objective have an option of one name.
        """
        own = set(cls.own_fields())
        presets, objectives = options_of("preset", own), options_of("objective", own)
        if common := sorted(presets.keys() & objectives.keys()):
            raise ValueError(f"A preset and an objective both have an option {common[0]!r}.")
        return {**presets, **objectives}

    def values(self) -> dict[str, Any]:
        """All fields and options: name -> value."""
        values: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            values |= value if field.name in _OWN_OPTIONS.values() else {field.name: value}
        return values

    def _check_fields(self) -> None:
        for name, least in {"latent_dim": 1, "epochs": 1, "batch_size": 1, "seed": 0}.items():
            as_count(name, getattr(self, name), least)
        _one_of("precision", self.precision, PRECISIONS)
        _one_of("objective", self.objective, OBJECTIVES.names())
        PRESETS.check(self.preset)
        if not 0 < self.learning_rate < math.inf:
            raise InputError(
                f"learning_rate is {self.learning_rate!r}, expected a number above 0, as 0.001."
            )
        self._check_warm_up()

    def _check_warm_up(self) -> None:
        if self.warm_up is not None:
            _one_of("warm_up", self.warm_up, WARM_UPS)
            takers = [name for name in OBJECTIVES.names() if takes_warm_up(name)]
            self._check_taken("warm_up", self.warm_up, "objective", takers)
        as_count("warm_up_epochs", self.warm_up_epochs, 1 if self.warm_up else 0)
        if self.warm_up_epochs and not self.warm_up:
            raise InputError(
                f"warm_up_epochs is {self.warm_up_epochs} without a warm_up; say how beta rises: "
                f"{', '.join(WARM_UPS)}."
            )

    def _of_options(self, options: list[Option], values: dict[str, Any]) -> dict[str, Any]:
        """The values of `options`: all of the package, and what is taken of others."""
        found = {}
        for option in options:
            value = values.get(option.name)
            value = option.default if value is None else _checked(option.name, value, option.type)
            if value != option.default:
                self._check_taken(option.name, value, option.field, list(option.takers))
            if option.built_in or getattr(self, option.field) in option.takers:
                found[option.name] = value
        return found

    def _check_taken(self, name: str, value: Any, field: str, takers: list[str]) -> None:
        chosen = getattr(self, field)
        if chosen not in takers:
            raise InputError(
                f"{name} is {value!r}, but the {field} {chosen!r} takes none; leave it out, or "
                f"choose {' or '.join(takers)}."
            )

    def to_json(self) -> str:
        """The fields, and the options that are not at their default, as a JSON object, one a line.

        Version 0.1 reads it too, where it knows the options. Fields that it lacks are left out
        where they are at their default.
        """
        own = self.own_fields()
        defaults = {name: option.default for name, option in self.options().items()}
        defaults |= {name: own[name] for name in _NEWER}
        written = {
            name: value
            for name, value in self.values().items()
            if name not in defaults or value != defaults[name]
        }
        return json.dumps(written, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "TrainingConfig":
        """The value of `to_json`.

        Raises:
            InputError: if it is no JSON object, or has fields or values that are not known here.
        """
        try:
            fields = json.loads(text)
        except ValueError as error:
            raise InputError(f"The configuration is no JSON: {error}.") from error
        options = cls.options()
        names = cls.own_fields().keys() | options.keys()
        if not isinstance(fields, dict) or not names.issuperset(fields):
            unknown = sorted(set(fields) - names) if isinstance(fields, dict) else type(fields)
            raise InputError(
                f"The configuration has unknown fields ({unknown}); another version of vae_tf "
                "wrote it, use that one."
            )
        # An option that is not taken is written with its default, which may have been another.
        chosen = {field: fields.get(field, getattr(cls, field)) for field in REGISTRIES}
        unused = {o.name for o in options.values() if chosen[o.field] not in o.takers}
        return cls(**{name: value for name, value in fields.items() if name not in unused})

    def differences(self, other: "TrainingConfig") -> dict[str, tuple[Any, Any]]:
        """The fields and options that differ: name -> (value here, value in `other`)."""
        defaults = {name: option.default for name, option in self.options().items()}
        names = [*{**self.values(), **other.values()}]
        here, there = defaults | self.values(), defaults | other.values()
        pairs = {name: (here.get(name), there.get(name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _checked(name: str, value: Any, hint: Any) -> Any:
    value = _converted(value, hint)
    if not _is(value, hint):
        expected = getattr(hint, "__name__", str(hint))
        raise InputError(f"{name} is {value!r}, expected {expected}; change it.")
    return value


def _converted(value: Any, hint: Any) -> Any:
    """`value` in the type of its field, if nothing is lost: JSON has no tuples, paths are text."""
    kinds = _alternatives(hint)
    if isinstance(value, list) and any(typing.get_origin(kind) is tuple for kind in kinds):
        return tuple(value)
    if isinstance(value, os.PathLike) and str in kinds:
        return os.fspath(value)
    if isinstance(value, int) and not isinstance(value, bool) and float in kinds:
        return float(value)
    return value


def _is(value: Any, hint: Any) -> bool:
    for kind in _alternatives(hint):
        if typing.get_origin(kind) is tuple:
            items = typing.get_args(kind)
            if not isinstance(value, tuple) or (... not in items and len(value) != len(items)):
                continue
            if items[0] is str:
                if all(type(item) is str for item in value):
                    return True
            elif value and all(type(size) is int and size > 0 for size in value):
                return True
        elif type(value) is kind:  # a bool is no int here
            return True
    return False


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _one_of(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(f"{name} is {value!r}, expected one of {', '.join(known)}.")
