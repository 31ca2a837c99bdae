"""The figures of an evaluation as rows, for a terminal, a page and a model card alike."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vae_tf.evaluation.latents.active_units import ActiveUnits
from vae_tf.evaluation.latents.aggregated_posterior import AggregatedPosterior
from vae_tf.evaluation.latents.kl_decomposition import KLDecomposition
from vae_tf.evaluation.latents.probes import Probes
from vae_tf.evaluation.log_prob.log_prob_estimate import LogProbEstimate
from vae_tf.evaluation.log_prob.rate_distortion import RateDistortion, bits_per_dim
from vae_tf.evaluation.samples.sample_quality import SampleQuality
from vae_tf.evaluation.samples.two_sample import TwoSampleTest

_NATS = "nats per example"


class Row(NamedTuple):
    """A figure.

    Attributes:
        name: str.
        value: float or int.
        error: float or None. Standard error over the test examples.
        unit: str. Empty for a count.
        note: str. What it is, or how it was taken.
    """

    name: str
    value: float
    error: float | None
    unit: str
    note: str

    @property
    def text(self) -> str:
        """The value with its error, three digits after the point; a count as it is."""
        if self.unit == "":
            return str(self.value)
        if self.error is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ± {self.error:.3f}"


def table_lines(rows: Iterable[Row]) -> list[str]:
    """The rows as lines of text in columns."""
    return [f"  {row.name:20} {row.text:>18} {row.unit:16}  {row.note}".rstrip() for row in rows]


class ScaleOfX(NamedTuple):
    """What turns nats per example into bits per dimension.

    Attributes:
        event_shape: tuple of int. Of one example.
        levels: int or None. See `bits_per_dim`.
        density: bool. Whether p(x|z) is a density, and no probability.
        dequantized: bool. See `bits_per_dim`.
    """

    event_shape: tuple[int, ...]
    levels: int | None
    density: bool
    dequantized: bool = False

    def per_dimension(self, nats: float) -> float:
        """`nats` in bits per dimension."""
        return bits_per_dim(nats, self.event_shape, self.levels, self.dequantized)

    def bits(self, nats: float) -> str:
        """`nats` as text in bits per dimension."""
        return f"{self.per_dimension(nats):.3f} bits per dimension"

    @property
    def remark(self) -> str:
        """What the bits of a density may be compared with; empty for a probability."""
        if not self.density:
            return ""
        if self.levels is None:
            return "; of a density, which depends on the scale of x"
        if self.dequantized:
            return f"; with uniform noise, an upper bound on that of {self.levels} levels"
        return (
            f"; of a density at {self.levels} levels without noise, which has no bound: dequantize the "
            "data to compare it"
        )


def likelihood_rows(
    terms: RateDistortion, bound: LogProbEstimate, others: dict[str, LogProbEstimate], x: ScaleOfX
) -> Iterator[Row]:
    """The terms of the ELBO, every estimate of log p(x), and bits per dimension.

    Args:
        terms: The terms of the ELBO.
        bound: The importance-weighted bound.
        others: Name -> another estimate of log p(x), of the first examples.
        x: The scale of the examples.
    """
    note = f"importance-weighted, K={bound.samples}"
    if bound.samples > 1:
        note += f"; its draws alone: ± {bound.monte_carlo_error:.3f}; {bound.reliability}"
    yield Row(
        "elbo", terms.elbo, terms.elbo_error, _NATS, f"log_likelihood - kl; {x.bits(terms.elbo)}"
    )
    yield Row(
        "log_likelihood",
        -terms.distortion,
        terms.distortion_error,
        _NATS,
        "E_q log p(x|z), minus the distortion",
    )
    yield Row("kl", terms.rate, terms.rate_error, _NATS, "KL(q(z|x) || p(z)), the rate")
    yield Row("log p(x)", bound.mean, bound.standard_error, _NATS, note)
    for name, estimate in others.items():
        number = len(estimate.values)
        error = estimate.standard_error if number > 1 else None
        note = f"{estimate.method}; {x.bits(estimate.mean)}"
        if estimate.samples:
            note += (
                f"; {estimate.samples} weights, first {number} examples, where L_{bound.samples} is "
                f"{bound.values[:number].mean():.3f}; its draws alone: "
                f"± {estimate.monte_carlo_error:.3f}; {estimate.reliability}"
            )
        yield Row(f"log p(x), {name}", estimate.mean, error, _NATS, note)
    yield Row(
        "bits per dimension",
        x.per_dimension(bound.mean),
        bits_per_dim(-bound.standard_error, x.event_shape),
        "bits",
        f"-log p(x) over the number of values of x{x.remark}",
    )


def latent_rows(
    units: ActiveUnits, parts: KLDecomposition | None, aggregated: AggregatedPosterior
) -> Iterator[Row]:
    """What the latent dimensions carry."""
    yield Row(
        "active units",
        units.count,
        None,
        "",
        f"of {len(units.variances)}; variance of E_q[z] above {units.threshold:g}",
    )
    if parts is not None:
        number = f"first {parts.examples} examples"
        limit = "; at its limit log N, so a lower bound" if parts.saturated else ""
        yield Row(
            "mutual information",
            parts.mutual_information,
            parts.mutual_information_error,
            "nats",
            f"I_q(x; z), {number}{limit}",
        )
        yield Row(
            "marginal KL",
            parts.marginal_kl,
            parts.marginal_kl_error,
            "nats",
            f"KL(q(z) || p(z)), {number}",
        )
    yield Row(
        "mean of q(z)",
        aggregated.mean_error,
        None,
        "deviations",
        "off that of the prior, in prior deviations",
    )
    yield Row(
        "covariance of q(z)",
        aggregated.covariance_error,
        None,
        "of the norm",
        "off that of the prior, Frobenius norm",
    )


def probe_rows(probes: Probes) -> Iterator[Row]:
    """Accuracies of classifiers of the codes."""
    split = f"{probes.train_examples} train and {probes.test_examples} test codes"
    floor = f"the most frequent class alone gives {probes.most_frequent:.3f}"
    yield Row("linear probe", probes.linear, None, "accuracy", f"{split}; {floor}")
    yield Row(f"{probes.k} nearest neighbours", probes.neighbours, None, "accuracy", split)


def sample_rows(quality: SampleQuality, test: TwoSampleTest) -> Iterator[Row]:
    """Draws of p(x) compared with test examples."""
    how = (
        f"of draws that are near data: {quality.generated} draws of p(x), {quality.real} test "
        f"examples, k={quality.neighbours}, {quality.features}"
    )
    yield Row("precision", quality.precision, None, "share", how)
    yield Row("recall", quality.recall, None, "share", "of data that are near draws; as above")
    yield Row("density", quality.density, None, "ratio", "of draws to data, near data; as above")
    yield Row("coverage", quality.coverage, None, "share", "of data with a draw near; as above")
    note = (
        f"draws of p(x) told from test examples, 0.5 is chance, p = {test.p_value:.2g}; "
        f"{test.classifier}, {test.train_examples} train and {test.test_examples} test examples"
    )
    yield Row("two-sample test", test.accuracy, None, "accuracy", note)
