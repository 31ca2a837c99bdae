"""Arguments that several commands take, and what they print."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `vae-tf train` made.")]
Ood = Annotated[
    str | None,
    typer.Option(help="Data of another kind, name or path: does the model tell them apart?"),
]
BackgroundEpochs = Annotated[
    int,
    typer.Option(
        help="Training of the background model for --ood's likelihood ratio; 0 leaves it out."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on stdout.")]


def print_json(value: Any) -> None:
    """Prints `value` as JSON. NaN, which JSON lacks, becomes null."""
    typer.echo(json.dumps(_without_nan(value), indent=2))


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
