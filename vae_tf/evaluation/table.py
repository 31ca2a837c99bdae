"""The figures of an evaluation one by one, for a terminal, a page and a model card alike."""

from typing import TYPE_CHECKING, Any, NamedTuple

from vae_tf.evaluation.log_prob.rate_distortion import bits_per_dim

if TYPE_CHECKING:
    from vae_tf.runs.evaluation.evaluate import Evaluation

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
        """The value with its error, in as many digits as mean something."""
        if self.unit == "":
            return str(self.value)
        digits = 3
        if self.error is None:
            return f"{self.value:.{digits}f}"
        return f"{self.value:.{digits}f} ± {self.error:.{digits}f}"


def evaluation_rows(evaluation: "Evaluation") -> list[Row]:
    """Every figure of `evaluation` that is a single number, but those of other data."""
    found, terms = evaluation.details, evaluation.details.rate_distortion
    bound = found.log_prob
    note = f"importance-weighted, K={evaluation.samples}"
    if evaluation.samples > 1:
        note += f"; its draws alone: ± {bound.monte_carlo_error:.3f}"
    density = "; of a density, which depends on the scale of x" if evaluation.density else ""
    return [
        Row(
            "elbo",
            evaluation.elbo,
            terms.elbo_error,
            _NATS,
            f"log_likelihood - kl; {_bits(evaluation, evaluation.elbo)}",
        ),
        Row(
            "log_likelihood",
            evaluation.log_likelihood,
            terms.distortion_error,
            _NATS,
            "E_q log p(x|z), minus the distortion",
        ),
        Row("kl", evaluation.kl, terms.rate_error, _NATS, "KL(q(z|x) || p(z)), the rate"),
        Row("log p(x)", evaluation.log_prob, bound.standard_error, _NATS, note),
        *_estimates(evaluation),
        Row(
            "bits per dimension",
            evaluation.bits_per_dim,
            bits_per_dim(-bound.standard_error, found.event_shape),
            "bits",
            f"-log p(x) over the number of values of x{density}",
        ),
        *_latents(found),
        *_usefulness(evaluation),
    ]


def _estimates(evaluation: "Evaluation") -> list[Row]:
    rows = []
    found, bound = evaluation.details, evaluation.details.log_prob
    for name, estimate in (("exact", found.exact), ("AIS", found.ais), ("HMC", found.hmc)):
        if estimate is None:
            continue
        number = len(estimate.values)
        error = estimate.standard_error if number > 1 else None
        note = f"{estimate.method}; {_bits(evaluation, estimate.mean)}"
        if estimate.samples:
            note += (
                f"; {estimate.samples} weights, first {number} examples, where L_{bound.samples} is "
                f"{bound.values[:number].mean():.3f}"
            )
        rows.append(Row(f"log p(x), {name}", estimate.mean, error, _NATS, note))
    return rows


def _bits(evaluation: "Evaluation", nats: float) -> str:
    found = evaluation.details
    return f"{bits_per_dim(nats, found.event_shape, found.levels):.3f} bits per dimension"


def _latents(found: Any) -> list[Row]:
    units, parts, aggregated = (
        found.active_units,
        found.kl_decomposition,
        found.aggregated_posterior,
    )
    rows = [
        Row(
            "active units",
            units.count,
            None,
            "",
            f"of {found.latent_dim}; variance of E_q[z] above {units.threshold:g}",
        )
    ]
    if parts is not None:
        number = f"first {parts.examples} examples"
        limit = "; at its limit log N, so a lower bound" if parts.saturated else ""
        rows += [
            Row(
                "mutual information",
                parts.mutual_information,
                parts.mutual_information_error,
                "nats",
                f"I_q(x; z), {number}{limit}",
            ),
            Row(
                "marginal KL",
                parts.marginal_kl,
                parts.marginal_kl_error,
                "nats",
                f"KL(q(z) || p(z)), {number}",
            ),
        ]
    rows += [
        Row(
            "mean of q(z)",
            aggregated.mean_error,
            None,
            "deviations",
            "off that of the prior, in prior deviations",
        ),
        Row(
            "covariance of q(z)",
            aggregated.covariance_error,
            None,
            "of the norm",
            "off that of the prior, Frobenius norm",
        ),
    ]
    return rows


def _usefulness(evaluation: "Evaluation") -> list[Row]:
    rows = []
    probes, quality, test = evaluation.probes, evaluation.quality, evaluation.two_sample
    if probes is not None:
        split = f"{probes.train_examples} train and {probes.test_examples} test codes"
        floor = f"the most frequent class alone gives {probes.most_frequent:.3f}"
        rows += [
            Row("linear probe", probes.linear, None, "accuracy", f"{split}; {floor}"),
            Row(f"{probes.k} nearest neighbours", probes.neighbours, None, "accuracy", split),
        ]
    if quality is not None:
        how = (
            f"of draws that are near data: {quality.generated} draws of p(x), {quality.real} test "
            f"examples, k={quality.neighbours}, {quality.features}"
        )
        rows += [
            Row("precision", quality.precision, None, "share", how),
            Row("recall", quality.recall, None, "share", "of data that are near draws; as above"),
            Row("density", quality.density, None, "ratio", "of draws to data, near data; as above"),
            Row("coverage", quality.coverage, None, "share", "of data with a draw near; as above"),
        ]
    if test is not None:
        note = (
            f"draws of p(x) told from test examples, 0.5 is chance, p = {test.p_value:.2g}; "
            f"{test.classifier}, {test.train_examples} train and {test.test_examples} test examples"
        )
        rows.append(Row("two-sample test", test.accuracy, None, "accuracy", note))
    return rows
