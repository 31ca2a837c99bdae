"""`vae-tf evaluate`."""

import dataclasses
from typing import Annotated

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import Json, RunFolder, print_json


@tensorflow_command
def evaluate(
    run: RunFolder,
    samples: Annotated[
        int, typer.Option(help="K of the importance-weighted log p(x); 0 leaves it out.")
    ] = 100,
    data: Annotated[
        str | None, typer.Option(help="Other data, name or path. Defaults to the run's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the test ELBO, its terms and log p(x), in nats per example."""
    from vae_tf import runs

    evaluation = runs.evaluate(runs.open_run(run), samples, data)
    if as_json:
        print_json(dataclasses.asdict(evaluation))
    else:
        typer.echo(str(evaluation))
