"""Objectives by name, as Keras has optimizers by name."""

from vae_tf.objectives.elbo import ELBO
from vae_tf.objectives.objective import Objective
from vae_tf.utils.errors import InputError
from vae_tf.utils.parameters import REQUIRED
from vae_tf.utils.registry import OBJECTIVES


def get(objective: str | Objective | None) -> Objective:
    """The objective of this name with its default arguments, or `objective` itself.

    Args:
        objective: "elbo", "iwae", another name that was registered, an `Objective`, or None for
            `ELBO()`. "beta_tc" is none of them, because `BetaTC` needs the size of the dataset.

    Raises:
        InputError: for anything else.
    """
    if objective is None:
        return ELBO()
    if isinstance(objective, Objective):
        return objective
    names = [name for name in OBJECTIVES.names() if _has_defaults(name)]
    for name in names:
        if isinstance(objective, str) and objective.lower() == name.lower():
            return OBJECTIVES.get(name)()
    raise InputError(
        f"Unknown objective {objective!r}; give one of {', '.join(names)}, or an instance such as "
        "vae_tf.objectives.ELBO(beta=1.0)."
    )


def _has_defaults(name: str) -> bool:
    return all(parameter.default is not REQUIRED for parameter in OBJECTIVES.parameters(name))
