"""`vae-tf export`."""

from pathlib import Path
from typing import Annotated

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import RunFolder


@tensorflow_command
def export(
    run: RunFolder,
    to: Annotated[Path, typer.Option(help="Folder to make, such as models/digits/1.")],
    score_samples: Annotated[
        int, typer.Option(help="Importance samples an example of the signature `score`.")
    ] = 100,
) -> None:
    """Write a SavedModel with the signatures encode, decode, sample, reconstruct and score."""
    from vae_tf import runs
    from vae_tf.export import export as export_model

    typer.echo(export_model(runs.open_run(run).model(), to, score_samples))
