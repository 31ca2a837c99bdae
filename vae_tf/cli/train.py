"""`vae-tf train`."""

import dataclasses
import re
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import Json, print_json
from vae_tf.runs.config import OBJECTIVES, PRECISIONS, WARM_UPS, TrainingConfig
from vae_tf.utils.errors import InputError

_DEFAULTS = TrainingConfig()
_DATA, _MODEL, _OBJECTIVE, _TRAINING = "Data", "Model", "Objective", "Training"


def _option(panel: str, text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel)


# Apart from the last six, an argument is a field of `TrainingConfig`, whose docstring says more.
@tensorflow_command
def train(
    context: typer.Context,
    dataset: Annotated[
        str | None, typer.Argument(help="Name (digits, mnist, ...) or path. Not with --resume.")
    ] = None,
    binarize: Annotated[
        str | None, _option(_DATA, "threshold, static or dynamic. Defaults to none.")
    ] = None,
    data_dir: Annotated[str | None, _option(_DATA, "Where prepared datasets are kept.")] = None,
    manual_dir: Annotated[str | None, _option(_DATA, "Files fetched by hand.")] = None,
    image_size: Annotated[
        str | None, _option(_DATA, "Scale images: 64, or 64x48 (high x wide).")
    ] = None,
    standardize: Annotated[
        bool, _option(_DATA, "Columns of a table to mean 0 and deviation 1.", "--standardize")
    ] = _DEFAULTS.standardize,
    label_column: Annotated[
        str | None, _option(_DATA, "Column of a table with the classes.")
    ] = None,
    on_corrupt: Annotated[
        str, _option(_DATA, "raise or skip, for image files that cannot be decoded.")
    ] = _DEFAULTS.on_corrupt,
    preset: Annotated[str, _option(_MODEL, "mlp, conv or conv-deep.")] = _DEFAULTS.preset,
    hidden: Annotated[
        str | None, _option(_MODEL, "Units of the hidden layers: 500, or 256,128.")
    ] = None,
    filters: Annotated[str | None, _option(_MODEL, "Channels of the convolutions: 32,64.")] = None,
    blocks: Annotated[int | None, _option(_MODEL, "Residual blocks in a stage.")] = None,
    activation: Annotated[
        str | None, _option(_MODEL, "Of the hidden layers: tanh, relu, ...")
    ] = None,
    latent_dim: Annotated[int, _option(_MODEL, "Latent dimensions.")] = _DEFAULTS.latent_dim,
    likelihood: Annotated[
        str | None,
        _option(_MODEL, "p(x|z): bernoulli, normal, ... Defaults to what the data need."),
    ] = None,
    posterior: Annotated[str, _option(_MODEL, "q(z|x): normal, ...")] = _DEFAULTS.posterior,
    prior: Annotated[str, _option(_MODEL, "p(z): standard_normal, ...")] = _DEFAULTS.prior,
    objective: Annotated[
        str, _option(_OBJECTIVE, f"{', '.join(OBJECTIVES)}.")
    ] = _DEFAULTS.objective,
    beta: Annotated[
        float | None,
        _option(_OBJECTIVE, "Weight of the KL, or in beta_tc of the total correlation."),
    ] = None,
    samples: Annotated[int | None, _option(_OBJECTIVE, "Draws of z an example.")] = None,
    kl: Annotated[str, _option(_OBJECTIVE, "auto, analytic or monte_carlo.")] = _DEFAULTS.kl,
    free_bits: Annotated[
        float, _option(_OBJECTIVE, "Nats per latent dimension.")
    ] = _DEFAULTS.free_bits,
    warm_up: Annotated[
        str | None, _option(_OBJECTIVE, f"How beta rises from 0: {', '.join(WARM_UPS)}.")
    ] = None,
    warm_up_epochs: Annotated[
        int, _option(_OBJECTIVE, "Epochs until it has risen.")
    ] = _DEFAULTS.warm_up_epochs,
    doubly_reparameterised: Annotated[
        bool, _option(_OBJECTIVE, "Gradient of iwae.", "--doubly-reparameterised")
    ] = _DEFAULTS.doubly_reparameterised,
    epochs: Annotated[int, _option(_TRAINING, "Passes over the data.")] = _DEFAULTS.epochs,
    batch_size: Annotated[int, _option(_TRAINING, "Examples a step.")] = _DEFAULTS.batch_size,
    learning_rate: Annotated[float, _option(_TRAINING, "Of Adam.")] = _DEFAULTS.learning_rate,
    seed: Annotated[int, _option(_TRAINING, "Everything random comes from it.")] = _DEFAULTS.seed,
    precision: Annotated[
        str, _option(_TRAINING, f"{', '.join(PRECISIONS)}.")
    ] = _DEFAULTS.precision,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run. Defaults to runs/DATASET-PRESET.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the run in --out, with its options; --epochs may be raised.",
        ),
    ] = False,
    pictures_every: Annotated[
        int,
        typer.Option(help="Epochs from picture to picture of a film of the training; 0 for none."),
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Json = False,
) -> None:
    """Train a model into a run folder, or go on with one that was stopped."""
    from vae_tf import runs

    given = _given(context)
    folder = out or _default_folder(given)
    known = _DEFAULTS
    if resume and (folder / "config.json").exists():
        known = runs.open_run(folder).config
    elif "dataset" not in given:
        raise InputError("No dataset was given; name one, such as `vae-tf train digits`.")
    verbose = 0 if quiet or as_json else 1 if sys.stdout.isatty() else 2
    try:
        run = runs.train(
            dataclasses.replace(known, **given),
            folder,
            resume,
            verbose=verbose,
            pictures_every=pictures_every,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_what_is_safe(folder)) from None
    if as_json:
        print_json(run.summary())
    else:
        typer.echo(str(run))


def _given(context: typer.Context) -> dict[str, Any]:
    """The fields of the configuration that stand on the command line."""
    fields = {field.name for field in dataclasses.fields(TrainingConfig)}
    given = {
        name: value
        for name, value in context.params.items()
        if name in fields and context.get_parameter_source(name).name == "COMMANDLINE"  # type: ignore[union-attr]
    }
    for name in {"hidden", "filters"} & given.keys():
        given[name] = _sizes(f"--{name}", given[name], r"\d+(,\d+)*", "500 or 256,128")
    if "image_size" in given:
        sizes = _sizes("--image-size", given["image_size"], r"\d+(x\d+)?", "64 or 64x48")
        given["image_size"] = sizes * 2 if len(sizes) == 1 else sizes
    return given


def _sizes(option: str, text: str, pattern: str, examples: str) -> tuple[int, ...]:
    if not re.fullmatch(pattern, text):
        raise InputError(f"{option} is {text!r}, expected sizes such as {examples}.")
    return tuple(int(size) for size in re.split("[,x]", text))


def _default_folder(given: dict[str, Any]) -> Path:
    if "dataset" not in given:
        raise InputError("Neither a dataset nor --out was given; say which run is meant.")
    name = re.sub(r"[^\w.-]+", "_", Path(given["dataset"]).stem or "data")
    return Path("runs") / f"{name}-{given.get('preset', _DEFAULTS.preset)}"


def _what_is_safe(folder: Path) -> str:
    from vae_tf import runs

    if not (folder / "config.json").exists():
        return "interrupted before training began; nothing was written."
    run = runs.open_run(folder)
    safe = f"epoch {run.epoch} of {run.config.epochs} is safe" if run.epoch else "no epoch is done"
    command = f"vae-tf train --resume --out {shlex.quote(str(folder))}"
    return f"interrupted: {safe} in {folder}; go on with `{command}`."
