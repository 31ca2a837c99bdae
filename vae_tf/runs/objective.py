"""The objective that a configuration describes."""

from typing import Any

from vae_tf import objectives
from vae_tf.objectives.schedules import Schedule
from vae_tf.runs.config import TrainingConfig
from vae_tf.training.kl_warm_up import unfinished_warm_up
from vae_tf.utils.errors import InputError

_CYCLES = 4


def build_objective(
    config: TrainingConfig, steps_per_epoch: int, num_train: int
) -> objectives.Objective:
    """The objective of `config`, with its warm-up counted in steps.

    Args:
        config: The configuration.
        steps_per_epoch: int. Training steps an epoch.
        num_train: int. Training examples.

    Raises:
        InputError: for a value the objective refuses, or a warm-up longer than the training.
    """
    given: dict[str, Any] = {}
    if config.samples is not None:
        given["samples"] = config.samples
    if config.objective == "iwae":
        given["doubly_reparameterised"] = config.doubly_reparameterised
        return objectives.IWAE(**given)
    beta = _beta(config, steps_per_epoch)
    if beta is not None:
        given["beta"] = beta
    objective: objectives.Objective
    if config.objective == "beta_tc":
        objective = objectives.BetaTC(num_train, **given)
    else:
        objective = objectives.ELBO(kl=config.kl, free_bits=config.free_bits, **given)
    message = unfinished_warm_up(objective.warm_up_steps, steps_per_epoch * config.epochs)
    if message:
        raise InputError(message)
    return objective


def _beta(config: TrainingConfig, steps_per_epoch: int) -> float | Schedule | None:
    if config.warm_up is None:
        return config.beta
    kind = objectives.BetaTC(1) if config.objective == "beta_tc" else objectives.ELBO()
    stop = kind.beta.value if config.beta is None else config.beta  # type: ignore[attr-defined]
    steps = config.warm_up_epochs * steps_per_epoch
    if config.warm_up == "linear":
        return objectives.Linear(steps, stop=stop)
    if config.warm_up == "sigmoid":
        return objectives.Sigmoid(steps, stop=stop)
    return objectives.Cyclical(max(steps // _CYCLES, 1), cycles=_CYCLES, stop=stop)
