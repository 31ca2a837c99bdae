"""`vae-tf train`."""

import dataclasses
import inspect
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import Json, print_json
from vae_tf.cli.train_options import configuration_options, parsed
from vae_tf.runs.config import TrainingConfig
from vae_tf.utils.errors import InputError


def train_command() -> Callable[..., None]:
    """The function of the command, with the options of all presets and objectives at this time.

    Typer reads options from a signature, so the function gets one with those of the configuration
    in the place of `**configuration`.
    """
    command = tensorflow_command(train)
    signature = inspect.signature(train)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    command.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*own, *configuration_options()]
    )
    return command


def train(
    *,
    context: typer.Context,
    dataset: Annotated[
        str | None, typer.Argument(help="Name (digits, mnist, ...) or path. Not with --resume.")
    ] = None,
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
        typer.Option(
            help="Epochs from picture to picture of an animation of the training; 0 for none."
        ),
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Json = False,
    **configuration: Any,
) -> None:
    """Train a model into a run folder, or go on with one that was stopped."""
    from vae_tf import runs

    given = _given(context)
    folder = out or _default_folder(given)
    known = TrainingConfig()
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
    fields = TrainingConfig.own_fields().keys() | TrainingConfig.options().keys()
    return {
        name: parsed(name, value)
        for name, value in context.params.items()
        if name in fields and context.get_parameter_source(name).name == "COMMANDLINE"  # type: ignore[union-attr]
    }


def _default_folder(given: dict[str, Any]) -> Path:
    if "dataset" not in given:
        raise InputError("Neither a dataset nor --out was given; say which run is meant.")
    name = re.sub(r"[^\w.-]+", "_", Path(given["dataset"]).stem or "data")
    return Path("runs") / f"{name}-{given.get('preset', TrainingConfig.preset)}"


def _what_is_safe(folder: Path) -> str:
    from vae_tf import runs

    if not (folder / "config.json").exists():
        return "interrupted before training began; nothing was written."
    run = runs.open_run(folder)
    safe = f"epoch {run.epoch} of {run.config.epochs} is safe" if run.epoch else "no epoch is done"
    command = f"vae-tf train --resume --out {shlex.quote(str(folder))}"
    return f"interrupted: {safe} in {folder}; go on with `{command}`."
