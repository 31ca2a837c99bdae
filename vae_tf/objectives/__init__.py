"""What is maximised: the ELBO and its relatives, each per example and in nats."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.inference.elbo import ElboTerms  # noqa: E402
from vae_tf.objectives.beta_tc import BetaTC  # noqa: E402
from vae_tf.objectives.elbo import ELBO  # noqa: E402
from vae_tf.objectives.get import get  # noqa: E402
from vae_tf.objectives.iwae import IWAE  # noqa: E402
from vae_tf.objectives.objective import Objective, ObjectiveTerms  # noqa: E402
from vae_tf.objectives.schedules import (  # noqa: E402
    Constant,
    Cyclical,
    Linear,
    Schedule,
    Sigmoid,
)

__all__ = [
    "ELBO",
    "IWAE",
    "BetaTC",
    "Constant",
    "Cyclical",
    "ElboTerms",
    "Linear",
    "Objective",
    "ObjectiveTerms",
    "Schedule",
    "Sigmoid",
    "get",
]
