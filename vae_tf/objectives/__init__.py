"""What is maximised: the ELBO and its relatives, each per example and in nats."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.inference.elbo import ElboTerms
from vae_tf.objectives.beta_tc import BetaTC
from vae_tf.objectives.elbo import ELBO
from vae_tf.objectives.get import get
from vae_tf.objectives.iwae import IWAE
from vae_tf.objectives.objective import Objective, ObjectiveTerms
from vae_tf.objectives.schedules import (
    Constant,
    Cyclical,
    Linear,
    Schedule,
    Sigmoid,
)
from vae_tf.utils.registry import OBJECTIVES

register = OBJECTIVES.register

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
    "register",
]
