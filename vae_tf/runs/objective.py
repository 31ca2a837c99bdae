"""The objective that a configuration describes."""

from vae_tf import objectives
from vae_tf.objectives.schedules import Schedule
from vae_tf.runs.config import TrainingConfig
from vae_tf.training.kl_warm_up import unfinished_warm_up
from vae_tf.utils.errors import InputError
from vae_tf.utils.registry import OBJECTIVES

_CYCLES = 4


def build_objective(
    config: TrainingConfig, steps_per_epoch: int, num_train: int
) -> objectives.Objective:
    """The objective of `config`, with its warm-up counted in steps.

    Its constructor gets what it has parameters for: options, other fields of the configuration,
    and `dataset_size`, the number of training examples.

    Args:
        config: The configuration.
        steps_per_epoch: int. Training steps an epoch.
        num_train: int. Training examples.

    Raises:
        InputError: for a value the objective refuses, or a warm-up longer than the training.
    """
    parameters = {
        parameter.name: parameter for parameter in OBJECTIVES.parameters(config.objective)
    }
    values = {**config.values(), "dataset_size": num_train}
    given = {name: values[name] for name in parameters if values.get(name) is not None}
    if config.warm_up is not None:
        stop = given.get("beta", parameters["beta"].default)
        given["beta"] = _schedule(config.warm_up, config.warm_up_epochs * steps_per_epoch, stop)
    objective = OBJECTIVES.get(config.objective)(**given)
    message = unfinished_warm_up(objective.warm_up_steps, steps_per_epoch * config.epochs)
    if message:
        raise InputError(message)
    return objective


def _schedule(warm_up: str, steps: int, stop: float) -> Schedule:
    if warm_up == "linear":
        return objectives.Linear(steps, stop=stop)
    if warm_up == "sigmoid":
        return objectives.Sigmoid(steps, stop=stop)
    return objectives.Cyclical(max(steps // _CYCLES, 1), cycles=_CYCLES, stop=stop)
