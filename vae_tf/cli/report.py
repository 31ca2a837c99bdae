"""`vae-tf report`."""

from pathlib import Path
from typing import Annotated

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import BackgroundEpochs, Ood, RunFolder, progress_bars


@tensorflow_command
def report(
    run: RunFolder,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page, a .html; model_card.md goes beside it. Defaults to RUN/report.html."
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option(help="K of the importance-weighted log p(x), fewer for a quick look.")
    ] = 5000,
    ood: Ood = None,
    background_epochs: BackgroundEpochs = 10,
    three_panels: Annotated[
        bool,
        typer.Option(
            "--three-panels",
            help="Also train with either half of the ELBO alone, and compare; takes minutes.",
        ),
    ] = False,
) -> None:
    """Write one page of HTML with the figures of a run in it, and a model card."""
    from vae_tf import reporting, runs
    from vae_tf.reporting.report import CARD_NAME

    with progress_bars() as progress:
        page = reporting.report(
            runs.open_run(run),
            out,
            samples=samples,
            ood=ood,
            background_epochs=background_epochs,
            three_panels=three_panels,
            progress=progress,
        )
    typer.echo(page)
    typer.echo(page.with_name(CARD_NAME))
