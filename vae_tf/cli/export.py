"""`vae-tf export`."""

from pathlib import Path
from typing import Annotated

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import RunFolder


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
