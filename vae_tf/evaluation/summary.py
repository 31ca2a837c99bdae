"""All figures of a model on a set of examples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vae_tf.evaluation.batching import Progress, as_examples
from vae_tf.evaluation.latents.active_units import ActiveUnits, active_units
from vae_tf.evaluation.latents.aggregated_posterior import AggregatedPosterior, aggregated_posterior
from vae_tf.evaluation.latents.collapse import Collapse, collapse_verdict
from vae_tf.evaluation.latents.kl_decomposition import KLDecomposition, kl_decomposition
from vae_tf.evaluation.latents.kl_per_dimension import kl_per_dimension
from vae_tf.evaluation.log_prob.ais import annealed_importance_sampling
from vae_tf.evaluation.log_prob.exact import exact_log_prob
from vae_tf.evaluation.log_prob.hmc_marginal import hmc_marginal_likelihood
from vae_tf.evaluation.log_prob.importance_weighted import importance_weighted_bound
from vae_tf.evaluation.log_prob.log_prob_estimate import LogProbEstimate
from vae_tf.evaluation.log_prob.rate_distortion import RateDistortion, bits_per_dim, rate_distortion
from vae_tf.evaluation.table import Row, ScaleOfX, latent_rows, likelihood_rows, table_lines
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Figures of a model on N examples, in nats per example unless said otherwise.

    Attributes:
        examples: int. N.
        latent_dim: int. D.
        event_shape: tuple of int. Of one example.
        parts: dict. Class names of the posterior, the likelihood and the prior.
        density: bool. Whether p(x|z) is a density, and no probability: figures of the two do not
            compare.
        rate_distortion: RateDistortion.
        log_prob: LogProbEstimate. The importance-weighted bound L_K.
        bits_per_dim: float. -L_K in bits per dimension; see `bits_per_dim`.
        levels: int or None. What `bits_per_dim` was given.
        dequantized: bool. As `levels`.
        exact: LogProbEstimate or None. log p(x), for a linear-Gaussian model.
        ais: LogProbEstimate or None. Annealed importance sampling of the first examples.
        hmc: LogProbEstimate or None. The HMC estimate of the first examples.
        kl_per_dimension: float64 [D] or None. None where the KL is not a sum over dimensions.
        active_units: ActiveUnits.
        collapse: Collapse.
        kl_decomposition: KLDecomposition or None.
        aggregated_posterior: AggregatedPosterior.
        log_prob_by_label: dict or None. Label -> (mean of L_K, number of examples).
    """

    examples: int
    latent_dim: int
    event_shape: tuple[int, ...]
    parts: dict[str, str]
    density: bool
    rate_distortion: RateDistortion
    log_prob: LogProbEstimate
    bits_per_dim: float
    levels: int | None
    exact: LogProbEstimate | None
    ais: LogProbEstimate | None
    hmc: LogProbEstimate | None
    kl_per_dimension: np.ndarray | None
    active_units: ActiveUnits
    collapse: Collapse
    kl_decomposition: KLDecomposition | None
    aggregated_posterior: AggregatedPosterior
    log_prob_by_label: dict[str, tuple[float, int]] | None
    dequantized: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values: strings, numbers, None, lists and dicts."""
        return {name: _as_json(value) for name, value in vars(self).items()}

    @property
    def rows(self) -> list[Row]:
        """Every figure that is a single number, with its error, unit and what it is."""
        others = {"exact": self.exact, "AIS": self.ais, "HMC": self.hmc}
        given = {name: estimate for name, estimate in others.items() if estimate is not None}
        scale = ScaleOfX(self.event_shape, self.levels, self.density, self.dequantized)
        return [
            *likelihood_rows(self.rate_distortion, self.log_prob, given, scale),
            *latent_rows(self.active_units, self.kl_decomposition, self.aggregated_posterior),
        ]

    def __str__(self) -> str:
        parts = ", ".join(f"{role} {name}" for role, name in self.parts.items())
        return "\n".join(
            [
                f"{self.examples} examples, {self.latent_dim} latent dimensions, {parts}; ± is the "
                "standard error over examples",
                *table_lines(self.rows),
                f"  {self.collapse.sentence}",
            ]
        )


def evaluate(
    vae: LatentVariableModel,
    x: Any,
    y: Any = None,
    *,
    num_samples: int = 5000,
    ais_examples: int = 0,
    ais_steps: int = 1000,
    hmc_examples: int = 0,
    decompose_kl: bool | int = True,
    levels: int | None = None,
    dequantized: bool = False,
    seed: Seed = 0,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluates a model on examples; the same figures at each call with the same seed.

    Args:
        vae: The model.
        x: `[N, *event]`, N at least 2, or a `tf.data.Dataset` of `x`, `(x,)` or `(x, y, ...)`.
        y: `[N]` labels, for L_K of each class. Defaults to those of the dataset, if it has any.
        num_samples: int. K of the importance-weighted bound. Defaults to 5000.
        ais_examples: int. How many of the examples, from the first, annealed importance sampling
            is run on; 0 for none. Defaults to 0: it takes thousands of gradients for each.
        ais_steps: int. Its length T. Defaults to 1000.
        hmc_examples: int. As many for `hmc_marginal_likelihood`, which needs few latent dimensions.
            Defaults to 0.
        decompose_kl: bool or int. Whether the KL is taken apart, in a time that grows with N²; an int
            is how many of the examples, from the first, it is taken apart for. Defaults to True.
        levels: int or None. For densities of scaled integers; see `bits_per_dim`.
        dequantized: bool. Whether noise was added to them. Defaults to False.
        seed: int, int tensor of shape [2], or None for fresh draws. Defaults to 0.
        batch_size: int. Examples at once. Defaults to what suits each figure.
        progress: Called with what is computed, how many examples are done, and how many there are.

    Raises:
        InputError: for fewer than 2 examples, wrong ones, another number of labels, or an argument
            out of its range.
    """
    examples = as_examples(vae, x, y, least=2)
    x, y = examples, examples.y
    as_count("num_samples", num_samples)
    chosen = {"seed": as_seed(seed), "batch_size": batch_size}
    followed = {**chosen, "progress": progress}
    ais_examples = as_count("ais_examples", ais_examples, least=0)
    hmc_examples = as_count("hmc_examples", hmc_examples, least=0)
    shifted = None if levels is None else as_count("levels", levels, least=2)

    terms = rate_distortion(vae, x, **followed)
    units = active_units(vae, x, batch_size=batch_size)
    log_prob = importance_weighted_bound(vae, x, num_samples, **followed)
    by_dimension = _or_none(lambda: kl_per_dimension(vae, x, **chosen))
    decomposed = x.first(len(x) if decompose_kl is True else decompose_kl)
    decomposition = (
        _or_none(lambda: kl_decomposition(vae, decomposed, seed=chosen["seed"], progress=progress))
        if decompose_kl
        else None
    )
    aggregated = aggregated_posterior(vae, x, **chosen)
    return Evaluation(
        examples=len(x),
        latent_dim=vae.latent_dim,
        event_shape=tuple(vae.event_shape),
        parts=vae.parts,
        density=vae.likelihood.is_density,
        rate_distortion=terms,
        log_prob=log_prob,
        bits_per_dim=bits_per_dim(log_prob.mean, vae.event_shape, shifted, dequantized),
        levels=shifted,
        exact=_or_none(lambda: exact_log_prob(vae, x)),
        ais=(
            annealed_importance_sampling(vae, x.first(ais_examples), ais_steps, **followed)
            if ais_examples
            else None
        ),
        hmc=hmc_marginal_likelihood(vae, x.first(hmc_examples), **followed)
        if hmc_examples
        else None,
        kl_per_dimension=by_dimension,
        active_units=units,
        collapse=collapse_verdict(units, terms.rate, by_dimension, aggregated, decomposition),
        kl_decomposition=decomposition,
        aggregated_posterior=aggregated,
        log_prob_by_label=None if y is None else _by_label(log_prob.values, y),
        dequantized=dequantized,
    )


def _or_none(figure: Callable[[], Any]) -> Any:
    """What `figure` gives, or None where the model has no such figure; the examples are checked."""
    try:
        return figure()
    except InputError:
        return None


def _by_label(values: np.ndarray, y: np.ndarray) -> dict[str, tuple[float, int]]:
    classes = ((str(label), values[y == label]) for label in np.unique(y))
    return {label: (float(own.mean()), len(own)) for label, own in classes}


def _as_json(value: Any) -> Any:
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _as_json(entry) for key, entry in value.items()}
    return list(value) if isinstance(value, tuple) else value
