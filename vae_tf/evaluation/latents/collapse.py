"""Diagnosis of posterior collapse, with remedies."""

from dataclasses import asdict, dataclass

import numpy as np

from vae_tf.evaluation.latents.active_units import ActiveUnits
from vae_tf.evaluation.latents.aggregated_posterior import AggregatedPosterior
from vae_tf.evaluation.latents.kl_decomposition import KLDecomposition

# Share of the largest KL of a dimension below which another one carries nothing to speak of.
_LEAST_KL = 0.02
# Share of the codes' variance that the principal components are counted up to.
_VARIANCE = 0.99
# The marginal KL is large where it is above this share of the KL, and above so many nats.
_MARGINAL_SHARE, _MARGINAL_NATS = 0.25, 1.0


@dataclass(frozen=True)
class Collapse:
    """A verdict on the latent dimensions.

    Attributes:
        kind: "none" (all dimensions carry something), "partial" or "full" (none does).
        sentence: str. The verdict and what to do.
    """

    kind: str
    sentence: str

    def as_dict(self) -> dict[str, str]:
        """The verdict as JSON values."""
        return asdict(self)


def collapse_verdict(
    units: ActiveUnits,
    kl: float,
    kl_per_dimension: np.ndarray | None = None,
    aggregated: AggregatedPosterior | None = None,
    decomposition: KLDecomposition | None = None,
) -> Collapse:
    """Judges the latent dimensions by what they carry, and the prior by where the codes are.

    A collapsed dimension has q(z_d|x) = p(z_d) for all x: the decoder does without it (Bowman et al.
    2016, Generating Sentences from a Continuous Space, section 3.1). A dimension carries something
    if it is active and its KL is at least 2 % of the largest. Codes that lie in few directions are
    known by the principal components that hold 99 % of their variance. Draws from the prior come from
    elsewhere than the codes where KL(q(z) || p(z)) is above 1 nat and a quarter of the KL.

    Args:
        units: What `active_units` gave.
        kl: float. Mean KL(q(z|x) || p(z)), nats.
        kl_per_dimension: `[D]`, nats, or None where the KL is not a sum over dimensions.
        aggregated: What `aggregated_posterior` gave, or None.
        decomposition: What `kl_decomposition` gave, or None.
    """
    active, total = units.count, len(units.variances)
    marginal = _marginal_sentence(kl, aggregated, decomposition)
    if active == 0:
        return Collapse(
            "full",
            f"Posterior collapse: none of the {total} latent dimensions depends on x and the KL is "
            f"{kl:.2f} nats, so the decoder ignores z; train again with a warm-up of the KL's weight "
            f"(objectives.Linear), with free_bits, or with a weaker decoder.{marginal}",
        )
    carrying, carry = active, "are active"
    if kl_per_dimension is not None:
        mask = units.mask & (kl_per_dimension >= _LEAST_KL * kl_per_dimension[units.mask].max())
        carrying = int(mask.sum())
        carry = f"carry {kl_per_dimension[mask].sum() / kl_per_dimension.sum():.1%} of the KL"
    if aggregated is not None:
        shares = np.cumsum(aggregated.code_variances) / aggregated.code_variances.sum()
        components = int(np.searchsorted(shares, _VARIANCE) + 1)
        if components <= carrying / 2:
            return Collapse(
                "partial",
                f"The codes lie in few directions: {components} principal "
                f"component{'s' if components > 1 else ''} of {total} hold "
                f"{shares[components - 1]:.1%} of their variance, though {active} dimensions are "
                f"active; a latent_dim of {components} may do.{marginal}",
            )
    if carrying < total:
        return Collapse(
            "partial",
            f"{carrying} of {total} latent dimensions {carry} and the rest carries next to nothing, "
            f"which costs no likelihood; a latent_dim of {carrying} would do, or IWAE, "
            f"free_bits or a warm-up of the KL's weight to make use of more.{marginal}",
        )
    advice = "" if marginal else "; try a larger latent_dim, which may fit better"
    return Collapse(
        "none",
        f"No posterior collapse: all {total} latent dimensions are active{advice}.{marginal}",
    )


def _marginal_sentence(
    kl: float, aggregated: AggregatedPosterior | None, decomposition: KLDecomposition | None
) -> str:
    """What follows from a large marginal KL, after a space; "" where it is not large."""
    # Saturated, the marginal KL is no more than what the examples are too few to tell from it.
    if decomposition is not None and not decomposition.saturated:
        marginal, of, how = decomposition.marginal_kl, decomposition.kl, ""
    elif aggregated is not None:
        marginal, of, how = aggregated.gaussian_kl, kl, " by its moments"
    else:
        return ""
    if not marginal > max(_MARGINAL_NATS, _MARGINAL_SHARE * of):
        return ""
    return (
        f" Draws from the prior will not look like data: KL(q(z) || p(z)) is {marginal:.1f} of "
        f"{of:.1f} nats{how}, so the codes are elsewhere; use a larger beta, or a prior that is "
        "learned (GaussianMixture, VampPrior)."
    )
