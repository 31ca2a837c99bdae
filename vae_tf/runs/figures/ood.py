"""Histograms of the out-of-distribution scores of a run."""

from pathlib import Path

from matplotlib.figure import Figure

from vae_tf import pictures
from vae_tf.runs.evaluation.evaluate import RunEvaluation
from vae_tf.runs.folder import RunFolder
from vae_tf.runs.run import Run

NAMES = {
    "log_prob": "log p(x)",
    "elbo": "ELBO",
    "likelihood_ratio": "Likelihood ratio",
    "input_complexity": "Input complexity",
}
_AXES = {
    "log_prob": "log p(x), nats per example",
    "elbo": "ELBO, nats per example",
    "likelihood_ratio": "log p(x) - log p_background(x), nats per example",
    "input_complexity": "log2 p(x) + compressed size, bits per example",
}


def other_figures(evaluation: RunEvaluation) -> dict[str, Figure]:
    """A histogram of each score of `evaluation.out_of_distribution`: score -> figure."""
    found = evaluation.out_of_distribution
    if found is None:
        return {}
    return {
        score: pictures.ood_histogram(
            {
                evaluation.dataset: detection.scores_in,
                f"{evaluation.other} (other)": detection.scores_out,
            },
            xlabel=_AXES[score],
            title=f"AUROC {detection.auroc:.3f}",
        )
        for score, detection in found.detections.items()
    }


def draw_other_figures(run: Run, evaluation: RunEvaluation) -> list[Path]:
    """Writes them to the pictures of a run, as `other_data_log_prob.png` and so on.

    Raises:
        InputError: if they cannot be written.
    """
    folder = RunFolder(run.folder).pictures
    return [
        pictures.save(figure, folder / f"other_data_{score}.png")
        for score, figure in other_figures(evaluation).items()
    ]
