"""`vae-tf info`."""

import typer

from vae_tf.cli.command import command
from vae_tf.cli.options import Json, RunFolder, print_json


@command
def info(run: RunFolder, as_json: Json = False) -> None:
    """Print what a run is, and how far it is. Imports no TensorFlow."""
    from vae_tf import runs

    opened = runs.open_run(run)
    if as_json:
        print_json(opened.summary())
    else:
        typer.echo(str(opened))
