"""The figures of a run on its test split."""

import dataclasses
import os
from typing import Any

import numpy as np

from vae_tf import evaluation
from vae_tf.data import Data, head
from vae_tf.evaluation.batching import Progress
from vae_tf.evaluation.latents.probes import Probes, probes
from vae_tf.evaluation.ood.scores import OutOfDistribution
from vae_tf.evaluation.samples.sample_quality import SampleQuality, sample_quality
from vae_tf.evaluation.samples.two_sample import TwoSampleTest, two_sample_test
from vae_tf.evaluation.summary import Evaluation
from vae_tf.evaluation.table import Row, probe_rows, sample_rows, table_lines
from vae_tf.explore.codes import codes, in_batches
from vae_tf.models.vae import VAE
from vae_tf.runs.evaluation.foreign import is_foreign, without_advice
from vae_tf.runs.evaluation.ood import (
    examples_in_units_of,
    examples_of,
    likelihood_verdict,
    other_data,
    out_of_distribution_run,
)
from vae_tf.runs.run import Run
from vae_tf.utils.checks import as_count
from vae_tf.utils.seeds import as_seed, fold_in

SAMPLES = 5000
"""K of the importance-weighted log p(x), as in papers."""

EXAMPLES = 10_000
"""Test examples at most, as many as MNIST has."""

LEAST_COMPARED = 10
"""Test examples that draws of p(x) are compared with at least."""

BACKGROUND_EPOCHS = 10
"""Training of the background model of the likelihood ratio."""

# Examples at most: of the KL's parts, in N² time; of codes to train the probes on, and to test them;
# of draws that are compared with as many test examples.
_DECOMPOSED, _PROBED, _COMPARED = 2000, 5000, 2000
_NEIGHBOURS = 5


@dataclasses.dataclass(frozen=True)
class RunEvaluation:
    """Figures of a model on a test split: nats per example, means over the examples.

    Attributes:
        dataset: str. Its name.
        binarize: str or None. How it was binarised: figures under two binarisations do not compare.
        likelihood: str. Class of p(x|z): nor do figures of a probability and of a density.
        examples: int. Number of test examples, the first ones.
        of_examples: int. Number of examples in the test split.
        epoch: int. Epochs the model was trained for.
        samples: int. K of `log_prob`.
        density: bool. Whether p(x|z) is a density, and no probability.
        details: `vae_tf.evaluation.Evaluation`. Everything measured on the examples, with standard
            errors.
        probes: Probes or None. Accuracies of classifiers of the codes, where there are labels.
        quality: SampleQuality or None. Draws of p(x) beside test examples, where asked for.
        two_sample: TwoSampleTest or None. As `quality`.
        other: str or None. Name of the other data.
        out_of_distribution: OutOfDistribution or None. Whether the model knows them from its own.
    """

    dataset: str
    binarize: str | None
    likelihood: str
    examples: int
    of_examples: int
    epoch: int
    samples: int
    density: bool
    details: Evaluation = dataclasses.field(compare=False, repr=False)
    probes: Probes | None = None
    quality: SampleQuality | None = None
    two_sample: TwoSampleTest | None = None
    other: str | None = None
    out_of_distribution: OutOfDistribution | None = dataclasses.field(default=None, repr=False)

    @property
    def elbo(self) -> float:
        """log_likelihood - kl."""
        return self.details.rate_distortion.elbo

    @property
    def log_likelihood(self) -> float:
        """E_q log p(x|z), of one draw an example."""
        return -self.details.rate_distortion.distortion

    @property
    def kl(self) -> float:
        """KL(q(z|x) || p(z)), in closed form where there is one."""
        return self.details.rate_distortion.rate

    @property
    def log_prob(self) -> float:
        """Importance-weighted estimate of log p(x)."""
        return self.details.log_prob.mean

    @property
    def bits_per_dim(self) -> float:
        """-log p(x) in bits for each value of x."""
        return self.details.bits_per_dim

    @property
    def rows(self) -> list[Row]:
        """Every figure that is a single number, with its error, unit and what it is."""
        rows = self.details.rows
        if self.probes is not None:
            rows += probe_rows(self.probes)
        if self.quality is not None and self.two_sample is not None:
            rows += sample_rows(self.quality, self.two_sample)
        return rows

    @property
    def described(self) -> str:
        """What the figures are of, without which they compare with nothing."""
        kind = " (a density)" if self.density else ""
        noise = ", dequantised" if self.details.dequantized else ""
        first = "" if self.examples == self.of_examples else f"the first {self.examples} of "
        return (
            f"{self.dataset}, {self.binarize or 'no'} binarisation{noise}, {self.likelihood} "
            f"likelihood{kind}: {first}{self.of_examples} test examples, after epoch {self.epoch}"
        )

    @property
    def verdict(self) -> str | None:
        """What the AUROC of plain likelihood says of other data, in a sentence; None without them."""
        found = self.out_of_distribution
        return None if found is None else likelihood_verdict(found, str(self.other))

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        names = ("elbo", "log_likelihood", "kl", "log_prob", "bits_per_dim")
        found = self.out_of_distribution
        parts = {
            name: None if values[name] is None else dataclasses.asdict(values[name])
            for name in ("probes", "quality", "two_sample")
        }
        return {
            **values,
            **{name: getattr(self, name) for name in names},
            **parts,
            "details": self.details.as_dict(),
            "out_of_distribution": None if found is None else found.as_dict(),
        }

    def __str__(self) -> str:
        lines = [f"{self.described}; ± is the standard error over examples"]
        lines += table_lines(self.rows)
        lines.append(f"  {self.details.collapse.sentence}")
        found = self.out_of_distribution
        if found is not None:
            lines.append(
                f"{found.examples_in} examples of {self.dataset} against {found.examples_out} of "
                f"{self.other}, K={found.num_samples}: AUROC ± standard error, AUPRC, FPR at 95 % TPR"
            )
            lines += [
                f"  {name:20} {d.auroc:6.3f} ± {d.auroc_error:.3f} {d.auprc:6.3f} {d.fpr_at_95_tpr:6.3f}"
                for name, d in found.detections.items()
            ]
            lines.append(f"  {self.verdict}")
        return "\n".join(lines)


def evaluate(
    run: Run,
    samples: int = SAMPLES,
    dataset: str | os.PathLike[str] | None = None,
    *,
    examples: int = EXAMPLES,
    ais: int = 0,
    hmc: int = 0,
    quality: bool = False,
    ood: str | os.PathLike[str] | None = None,
    background_epochs: int = BACKGROUND_EPOCHS,
    progress: Progress | None = None,
) -> RunEvaluation:
    """Evaluates the model of a run on a test split; the same figures at each call.

    Args:
        run: The run.
        samples: int. K of the importance-weighted log p(x). Defaults to 5000.
        dataset: Name or path of other data. Defaults to the run's own. Columns of a table are matched
            by name with those that the model was trained on.
        examples: int. Test examples at most, from the first; they are held in memory. Defaults to
            10,000.
        ais: int. How many of them, from the first, annealed importance sampling is run on.
            Defaults to 0: it takes thousands of gradients for each.
        hmc: int. As many for the estimator of Kingma and Welling (2014), appendix D, which holds for
            fewer than 5 latent dimensions. Defaults to 0.
        quality: bool. Whether draws of p(x) are compared with test examples, at least 10. Defaults
            to False.
        ood: Name or path of data of another kind, to tell from the run's. Defaults to None.
        background_epochs: int. Training of the background model of the likelihood ratio, for `ood`;
            0 leaves it out. Defaults to 10.
        progress: Called with what is computed, how many examples are done, and how many there are.

    Raises:
        InputError: if the data do not fit the model or have other columns, for fewer than two test
            examples, or a number that is too small.
    """
    samples, examples = as_count("samples", samples), as_count("examples", examples)
    ais, hmc = as_count("ais", ais, least=0), as_count("hmc", hmc, least=0)
    background_epochs = as_count("background_epochs", background_epochs, least=0)
    vae, own = run.model(), run.data()
    data = own if dataset is None else run.data(dataset)
    other = None if ood is None else other_data(run, vae, own, ood)
    foreign = is_foreign(run, dataset)
    x, y = examples_in_units_of(own, data, examples, foreign)
    levels = (data.levels if vae.likelihood.is_density else None, data.dequantize)
    details = _details(vae, x, y, samples, ais, hmc, levels, own.seed, progress)
    if foreign:
        details = without_advice(details, data.name)
    found = None
    if other is not None:
        found = out_of_distribution_run(vae, own, x, other, samples, background_epochs, progress)
    compared = _draws(vae, x, own.seed) if quality else None
    return RunEvaluation(
        dataset=data.name,
        binarize=data.binarize,
        likelihood=type(vae.likelihood).__name__,
        examples=len(x),
        of_examples=examples_of(data, foreign),
        epoch=run.epoch,
        samples=samples,
        density=vae.likelihood.is_density,
        details=details,
        probes=_probes(vae, own, x, y),
        quality=None if compared is None else sample_quality(x[: len(compared)], compared),
        two_sample=None if compared is None else two_sample_test(x[: len(compared)], compared),
        other=None if other is None else other.name,
        out_of_distribution=found,
    )


def _details(
    vae: VAE,
    x: np.ndarray,
    y: np.ndarray | None,
    samples: int,
    ais: int,
    hmc: int,
    levels: tuple[int | None, bool],
    seed: int,
    progress: Progress | None,
) -> evaluation.Evaluation:
    return evaluation.evaluate(
        vae,
        x,
        y,
        num_samples=samples,
        ais_examples=min(ais, len(x)),
        hmc_examples=min(hmc, len(x)),
        decompose_kl=min(_DECOMPOSED, len(x)),
        levels=levels[0],
        dequantized=levels[1],
        seed=seed,
        progress=progress,
    )


def _probes(vae: VAE, data: Data, x: np.ndarray, y: np.ndarray | None) -> Probes | None:
    if y is None:
        return None
    x_train, y_train = head(data.train, _PROBED)
    if y_train is None or len(np.unique(y_train)) < 2:
        return None
    x, y = x[:_PROBED], y[:_PROBED]
    k = min(_NEIGHBOURS, len(x_train))
    return probes(codes(vae, x_train), y_train, codes(vae, x), y, k=k)


def _draws(vae: VAE, x: np.ndarray, seed: int) -> np.ndarray:
    """Draws of p(x), not means of p(x|z), because data are no means: as many as test examples."""
    one, two = (fold_in(as_seed(seed), number) for number in range(2))
    z = vae.p_z().sample(min(len(x), _COMPARED), seed=one).numpy()
    parts = iter(range(len(z)))
    return in_batches(lambda batch: vae.decode(batch).sample(seed=fold_in(two, next(parts))), z)
