"""Diagnosis of posterior collapse, with remedies."""

from dataclasses import asdict, dataclass

from vae_tf.evaluation.latents.active_units import ActiveUnits


@dataclass(frozen=True)
class Collapse:
    """A verdict on the latent dimensions.

    Attributes:
        kind: "none" (all dimensions are active), "partial" or "full" (none is).
        sentence: str. The verdict and what to do.
    """

    kind: str
    sentence: str

    def as_dict(self) -> dict[str, str]:
        """The verdict as JSON values."""
        return asdict(self)


def collapse_verdict(units: ActiveUnits, kl: float) -> Collapse:
    """Judges the latent dimensions by how many are active.

    A collapsed dimension has q(z_d|x) = p(z_d) for all x: the decoder does without it (Bowman et al.
    2016, Generating Sentences from a Continuous Space, section 3.1).

    Args:
        units: What `active_units` gave.
        kl: float. Mean KL(q(z|x) || p(z)), nats.
    """
    active, total = units.count, len(units.variances)
    if active == 0:
        return Collapse(
            "full",
            f"Posterior collapse: none of the {total} latent dimensions depends on x and the KL is "
            f"{kl:.2f} nats, so the decoder ignores z; train again with a warm-up of the KL's weight "
            "(objectives.Linear), with free_bits, or with a weaker decoder.",
        )
    if active < total:
        return Collapse(
            "partial",
            f"{active} of {total} latent dimensions are active and the rest carries nothing, "
            f"which costs no likelihood; a latent_dim of {active} would do, or IWAE, free_bits or a "
            "warm-up of the KL's weight to make use of more.",
        )
    return Collapse(
        "none",
        f"No posterior collapse: all {total} latent dimensions are active; try a larger latent_dim, "
        "which may fit better.",
    )
