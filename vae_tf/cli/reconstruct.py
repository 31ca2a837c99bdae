"""`vae-tf reconstruct`."""

from pathlib import Path
from typing import Annotated

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import RunFolder


@tensorflow_command
def reconstruct(
    run: RunFolder,
    n: Annotated[int, typer.Option("--n", "-n", help="How many test examples.")] = 20,
    out: Annotated[
        Path, typer.Option(help="A picture (.png, .svg, .pdf), or .npy for the numbers.")
    ] = Path("reconstructions.png"),
) -> None:
    """Draw test examples and what a model makes of them."""
    from vae_tf import runs

    typer.echo(runs.draw_reconstructions(runs.open_run(run), out, n))
