"""`vae-tf sample`."""

from pathlib import Path
from typing import Annotated

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import RunFolder


@tensorflow_command
def sample(
    run: RunFolder,
    n: Annotated[int, typer.Option("--n", "-n", help="How many.")] = 64,
    seed: Annotated[
        int | None,
        typer.Option(help="The same seed gives the same samples. Defaults to fresh ones."),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="A picture (.png, .svg, .pdf), or .npy for the numbers.")
    ] = Path("samples.png"),
) -> None:
    """Draw samples from a model."""
    from vae_tf import runs

    typer.echo(runs.draw_samples(runs.open_run(run), out, n, seed))
