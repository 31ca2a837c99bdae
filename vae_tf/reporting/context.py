"""The values that the templates of a report and a model card are rendered with."""

import platform
from typing import Any

from vae_tf.models.vae import VAE
from vae_tf.runs.evaluation.evaluate import RunEvaluation
from vae_tf.runs.run import Run
from vae_tf.saved_models.description import describe

Context = dict[str, Any]


def context(run: Run, vae: VAE, evaluation: RunEvaluation, commands: list[str]) -> Context:
    """The context that both templates are filled with.

    Args:
        run: The run.
        vae: Its model.
        evaluation: Its figures.
        commands: Command lines that reproduce the run and the report.
    """
    described = describe(vae, evaluation.samples, run.config.precision, None)
    config = {field: value for field, value in run.config.values().items() if value is not None}
    return {
        "name": f"{vae.name} on {evaluation.dataset}",
        "run": run,
        "evaluation": evaluation,
        "model": described,
        "range": _range(*described["value_range"]),
        "protocol": _protocol(run, evaluation),
        "remarks": _remarks(run, evaluation),
        "config": {name: _text(value) for name, value in config.items()},
        "versions": {"python": platform.python_version(), **described["versions"]},
        "commands": commands,
    }


def _protocol(run: Run, evaluation: RunEvaluation) -> dict[str, str]:
    how = {
        "data": f"{evaluation.dataset}, {evaluation.binarize or 'no'} binarisation",
        "test examples": f"{evaluation.examples}, "
        + (
            "the whole test split"
            if evaluation.examples == evaluation.of_examples
            else f"the first of {evaluation.of_examples}"
        ),
        "likelihood": evaluation.likelihood
        + (": a density, whose nats depend on the scale of x" if evaluation.density else ""),
        "log p(x)": f"importance-weighted, K = {evaluation.samples} draws of q(z|x) an example",
        "model": f"after epoch {evaluation.epoch} of {run.config.epochs}, seed {run.config.seed}",
        "±": "standard error over the test examples",
    }
    found = evaluation.out_of_distribution
    if found is not None:
        how["other data"] = (
            f"{evaluation.other}, {found.examples_out} test examples against {found.examples_in} of its "
            f"own, K = {found.num_samples}"
        )
    return how


def _remarks(run: Run, evaluation: RunEvaluation) -> list[str]:
    """What a reader should know before comparing or using the model, each a sentence."""
    remarks = [evaluation.details.collapse.sentence]
    remarks.append(
        "The importance-weighted log p(x) is a lower bound on average, which rises with K; papers "
        "report K = 5000."
    )
    remarks.append(
        "Figures under another binarisation, another likelihood or on other examples do not compare "
        "with these."
    )
    if not run.finished:
        remarks.append(
            f"The training is not finished: {run.epoch} of {run.config.epochs} epochs are done."
        )
    remarks.append(
        evaluation.verdict
        or "Whether log p(x) is lower on other data was not measured here; plain likelihood is known "
        "to fail at that (Nalisnick et al., 2019)."
    )
    remarks.append(
        "Everything here is of one training with one seed; another seed moves the figures."
    )
    return remarks


def _range(low: float | None, high: float | None) -> str:
    return f"[{'-∞' if low is None else f'{low:g}'}, {'∞' if high is None else f'{high:g}'}]"


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
