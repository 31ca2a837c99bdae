"""`vae-tf evaluate`."""

from typing import Annotated

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import BackgroundEpochs, Json, Ood, RunFolder, print_json, progress_bars


@tensorflow_command
def evaluate(
    run: RunFolder,
    samples: Annotated[
        int,
        typer.Option(
            help="K of the importance-weighted log p(x); 5000 as in papers, fewer for a quick look."
        ),
    ] = 5000,
    data: Annotated[
        str | None, typer.Option(help="Other data, name or path. Defaults to the run's.")
    ] = None,
    examples: Annotated[int, typer.Option(help="Test examples at most, from the first.")] = 10_000,
    ais: Annotated[
        int, typer.Option(help="Annealed importance sampling of that many test examples; slow.")
    ] = 0,
    hmc: Annotated[
        int,
        typer.Option(
            help="The AEVB paper's estimator on that many; for fewer than 5 latent dimensions."
        ),
    ] = 0,
    quality: Annotated[
        bool, typer.Option("--quality", help="Compare draws of p(x) with test examples.")
    ] = False,
    ood: Ood = None,
    background_epochs: BackgroundEpochs = 10,
    as_json: Json = False,
) -> None:
    """Print the test ELBO, its terms, log p(x) and what the latents carry, with standard errors."""
    from vae_tf import runs

    opened = runs.open_run(run)
    with progress_bars(not as_json) as progress:
        evaluation = runs.evaluate(
            opened,
            samples,
            data,
            examples=examples,
            ais=ais,
            hmc=hmc,
            quality=quality,
            ood=ood,
            background_epochs=background_epochs,
            progress=progress,
        )
    if as_json:
        print_json(evaluation.as_dict())
    else:
        typer.echo(str(evaluation))
    for path in runs.draw_other_figures(opened, evaluation):
        typer.echo(path, err=True)
