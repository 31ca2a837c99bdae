"""`vae-tf info`, `sample`, `reconstruct` and `export`: each calls one function on a run."""

from pathlib import Path
from typing import Annotated

import typer

from vae_tf.cli.command import command, tensorflow_command
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


@tensorflow_command
def export(
    run: RunFolder,
    to: Annotated[
        Path,
        typer.Option(
            help="The model's folder, such as models/digits, which gets the next version; or a version."
        ),
    ],
    score_samples: Annotated[
        int, typer.Option(help="Importance samples an example of the signature `score`.")
    ] = 100,
    precision: Annotated[
        str, typer.Option(help="Of the stored weights: float32, bfloat16 or float16.")
    ] = "float32",
) -> None:
    """Write a SavedModel with the signatures encode, decode, sample, reconstruct and score."""
    from vae_tf import runs

    typer.echo(runs.export_run(runs.open_run(run), to, score_samples, precision))
