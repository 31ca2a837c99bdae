"""Objectives by name, as Keras has optimizers by name."""

from vae_tf.objectives.elbo import ELBO
from vae_tf.objectives.iwae import IWAE
from vae_tf.objectives.objective import Objective
from vae_tf.utils.errors import InputError

_BY_NAME: dict[str, type[Objective]] = {"elbo": ELBO, "iwae": IWAE}


def get(objective: str | Objective | None) -> Objective:
    """The objective of this name with its default arguments, or `objective` itself.

    Args:
        objective: "elbo", "iwae", an `Objective`, or None for `ELBO()`. `BetaTC` has no name, because
            it needs the size of the dataset.

    Raises:
        InputError: for anything else.
    """
    if objective is None:
        return ELBO()
    if isinstance(objective, Objective):
        return objective
    if isinstance(objective, str) and objective.lower() in _BY_NAME:
        return _BY_NAME[objective.lower()]()
    raise InputError(
        f"Unknown objective {objective!r}; give one of {', '.join(_BY_NAME)}, or an instance such as "
        "vae_tf.objectives.ELBO(beta=1.0)."
    )
