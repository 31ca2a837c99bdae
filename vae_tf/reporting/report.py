"""One page of HTML and a model card."""

import os
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2

from vae_tf.evaluation.batching import Progress
from vae_tf.reporting import figures as drawing
from vae_tf.reporting.command_lines import report_command, train_command
from vae_tf.reporting.context import context
from vae_tf.reporting.three_panels import three_panels_figure
from vae_tf.runs.evaluation.evaluate import BACKGROUND_EPOCHS, LEAST_COMPARED, SAMPLES, evaluate
from vae_tf.runs.run import Run
from vae_tf.utils.atomic import write_text
from vae_tf.utils.errors import InputError

CARD_NAME = "model_card.md"


def report(
    run: Run,
    path: str | os.PathLike[str] | None = None,
    *,
    samples: int = SAMPLES,
    ood: str | os.PathLike[str] | None = None,
    background_epochs: int = BACKGROUND_EPOCHS,
    three_panels: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Writes a report of a run, and a model card beside it; neither is ever half written.

    The page holds its figures, loads nothing, runs no script, and follows the reader's choice of
    light or dark. The figures are those of `vae_tf.runs.evaluate`; what is drawn of fewer examples
    says of how many. Draws of p(x) are compared with test examples where there are 10 of them.

    Args:
        run: The run.
        path: Ends in .html. Defaults to `report.html` in the run's folder.
        samples: int. K of the importance-weighted log p(x). Defaults to 5000.
        ood: Name or path of data of another kind, to tell from the run's. Defaults to None.
        background_epochs: int. See `vae_tf.runs.evaluate`.
        three_panels: bool. Whether three more models are trained, to show what either half of the
            ELBO does alone. Defaults to False.
        progress: As in `vae_tf.runs.evaluate`.

    Returns:
        The path of the page; `model_card.md` is beside it.

    Raises:
        InputError: for another suffix, a run without a model, or see `vae_tf.runs.evaluate`.
        OSError: if the files cannot be written.
    """
    place = run.folder / "report.html" if path is None else Path(path)
    if place.suffix.lower() != ".html":
        raise InputError(f"{place} ends in {place.suffix!r}, but a report is a .html.")
    vae, data = run.model(), run.data()
    evaluation = evaluate(
        run,
        samples,
        quality=data.num_test >= LEAST_COMPARED,
        ood=ood,
        background_epochs=background_epochs,
        progress=progress,
    )
    shown = list(drawing.figures(run, vae, data, evaluation))
    if three_panels:
        shown.append(three_panels_figure(run.config, data, progress))
    options = {
        "samples": None if samples == SAMPLES else samples,
        "ood": None if ood is None else os.fspath(ood),
        "background_epochs": None if background_epochs == BACKGROUND_EPOCHS else background_epochs,
        "three_panels": three_panels,
    }
    commands = [train_command(run), report_command(run, options)]
    said = context(run, vae, evaluation, commands)
    sections = [(name, list(part)) for name, part in groupby(shown, lambda one: one.section)]
    write_text(place, _filled("report.html.j2", {**said, "sections": sections}))
    write_text(place.with_name(CARD_NAME), _filled("model_card.md.j2", said))
    return place


def _filled(template: str, values: dict[str, Any]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vae_tf.reporting"),
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template(template).render(values)


def _cell(text: Any) -> str:
    """Text that stays within a cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")
