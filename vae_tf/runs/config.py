"""The configuration of a training, which is saved with the run."""

import dataclasses
import json
import math
import os
import types
import typing
from typing import Any

from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
OBJECTIVES = ("elbo", "iwae", "beta_tc")
WARM_UPS = ("linear", "cyclical", "sigmoid")

# What only some objectives take, and the value that stands for "not given".
_TAKES = {
    "elbo": ("beta", "samples", "kl", "free_bits", "warm_up"),
    "iwae": ("samples", "doubly_reparameterised"),
    "beta_tc": ("beta", "warm_up"),
}


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """What to train, on what, and how. Everything random in the training comes from `seed`.

    Attributes:
        dataset: str. Name or path for `vae_tf.data.load`.
        binarize: None, "threshold", "static" or "dynamic", as in `vae_tf.data.load`.
        data_dir: str or None. As in `vae_tf.data.load`.
        manual_dir: str or None. As in `vae_tf.data.load`.
        image_size: (height, width) in pixels or None. As in `vae_tf.data.load`.
        standardize: bool. As in `vae_tf.data.load`.
        label_column: str or None. As in `vae_tf.data.load`.
        on_corrupt: "raise" or "skip". As in `vae_tf.data.load`.
        preset: str. Name for `vae_tf.presets.create`.
        hidden: tuple of int or None. Units of the dense hidden layers; None: the preset's.
        filters: tuple of int or None. Channels of the convolutions; None: the preset's.
        blocks: int or None. Residual blocks in a stage; None: the preset's.
        activation: str or None. Of the hidden layers; None: the preset's.
        latent_dim: int. Latent dimensions.
        likelihood: str or None. As in `vae_tf.presets.create`; None: by `choose_likelihood`.
        posterior: str. As in `vae_tf.presets.create`.
        prior: str. As in `vae_tf.presets.create`.
        objective: "elbo", "iwae" or "beta_tc".
        beta: float or None. Final weight of the KL (ELBO) or of the total correlation (BetaTC);
            None: the objective's default, 1 and 6.
        samples: int or None. Draws of z an example; None: the objective's default, 1 for the ELBO
            and 5 for the IWAE.
        kl: "auto", "analytic" or "monte_carlo". The ELBO's estimator.
        free_bits: float. Nats per latent dimension (ELBO).
        warm_up: None, "linear", "cyclical" or "sigmoid". How beta rises from 0.
        warm_up_epochs: int. Epochs until beta has its final value; all four cycles of a cyclical
            warm-up.
        doubly_reparameterised: bool. The gradient of the IWAE.
        epochs: int.
        batch_size: int. Examples a step.
        learning_rate: float. Of Adam.
        seed: int. At least 0.
        precision: "float32", "mixed_float16" or "mixed_bfloat16".

    Raises:
        InputError: for a value that is none of these, or one that the objective does not take.
    """

    dataset: str = "digits"
    binarize: str | None = None
    data_dir: str | None = None
    manual_dir: str | None = None
    image_size: tuple[int, int] | None = None
    standardize: bool = False
    label_column: str | None = None
    on_corrupt: str = "raise"
    preset: str = "mlp"
    hidden: tuple[int, ...] | None = None
    filters: tuple[int, ...] | None = None
    blocks: int | None = None
    activation: str | None = None
    latent_dim: int = 20
    likelihood: str | None = None
    posterior: str = "normal"
    prior: str = "standard_normal"
    objective: str = "elbo"
    beta: float | None = None
    samples: int | None = None
    kl: str = "auto"
    free_bits: float = 0.0
    warm_up: str | None = None
    warm_up_epochs: int = 0
    doubly_reparameterised: bool = False
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    seed: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = _converted(getattr(self, field.name), hints[field.name])
            if not _is(value, hints[field.name]):
                expected = getattr(hints[field.name], "__name__", str(hints[field.name]))
                raise InputError(f"{field.name} is {value!r}, expected {expected}; change it.")
            object.__setattr__(self, field.name, value)
        for name, least in {"latent_dim": 1, "epochs": 1, "batch_size": 1, "seed": 0}.items():
            as_count(name, getattr(self, name), least)
        _one_of("precision", self.precision, PRECISIONS)
        _one_of("objective", self.objective, OBJECTIVES)
        if not 0 < self.learning_rate < math.inf:
            raise InputError(
                f"learning_rate is {self.learning_rate!r}, expected a number above 0, as 0.001."
            )
        self._check_warm_up()
        self._check_objective()

    def _check_warm_up(self) -> None:
        if self.warm_up is not None:
            _one_of("warm_up", self.warm_up, WARM_UPS)
        as_count("warm_up_epochs", self.warm_up_epochs, 1 if self.warm_up else 0)
        if self.warm_up_epochs and not self.warm_up:
            raise InputError(
                f"warm_up_epochs is {self.warm_up_epochs} without a warm_up; say how beta rises: "
                f"{', '.join(WARM_UPS)}."
            )

    def _check_objective(self) -> None:
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        for name in sorted({name for names in _TAKES.values() for name in names}):
            value = getattr(self, name)
            if value != defaults[name] and name not in _TAKES[self.objective]:
                takers = [objective for objective, names in _TAKES.items() if name in names]
                raise InputError(
                    f"{name} is {value!r}, but the objective {self.objective!r} takes none; leave "
                    f"it out, or choose {' or '.join(takers)}."
                )

    def to_json(self) -> str:
        """The fields as a JSON object, one a line."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

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
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(fields, dict) or not names.issuperset(fields):
            unknown = sorted(set(fields) - names) if isinstance(fields, dict) else type(fields)
            raise InputError(
                f"The configuration has unknown fields ({unknown}); another version of vae_tf "
                "wrote it, use that one."
            )
        return cls(**fields)

    def differences(self, other: "TrainingConfig") -> dict[str, tuple[Any, Any]]:
        """The fields that differ: name -> (value here, value in `other`)."""
        names = [field.name for field in dataclasses.fields(self)]
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


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
            sizes = typing.get_args(kind)
            fits = isinstance(value, tuple) and (... in sizes or len(value) == len(sizes))
            if fits and value and all(type(size) is int and size > 0 for size in value):
                return True
        elif type(value) is kind:  # a bool is no int here
            return True
    return False


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name} is {value!r}, expected one of {', '.join(known)}.")
