"""`vae-tf demo`."""

from pathlib import Path
from typing import Annotated

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import Json, print_json


@tensorflow_command
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the run; a new one.")] = Path("runs/demo"),
    as_json: Json = False,
) -> None:
    """Train on the embedded digits, evaluate, draw, export, and sample in a fresh process."""
    from vae_tf import runs

    result = runs.demo(out, verbose=not as_json)
    if as_json:
        print_json(result.summary())
    else:
        typer.echo(str(result))
