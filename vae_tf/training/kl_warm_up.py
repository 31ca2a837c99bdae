"""Compares the length of a KL warm-up with the length of the training."""

import math
import warnings
from typing import Any

import tensorflow as tf


def training_steps(
    x: Any, *, batch_size: int | None = None, epochs: int = 1, **fit: Any
) -> int | None:
    """Steps that a call of `fit` with these arguments takes, or None where that is not known."""
    steps = fit.get("steps_per_epoch")
    if steps is None and isinstance(x, tf.data.Dataset):
        steps = int(x.cardinality())
    elif steps is None and hasattr(x, "shape"):
        kept = x.shape[0] - int(x.shape[0] * (fit.get("validation_split") or 0.0))
        steps = math.ceil(kept / (batch_size or 32))
    if steps is None or steps < 0:
        return None
    return steps * (epochs - fit.get("initial_epoch", 0))


def unfinished_warm_up(warm_up_steps: int, steps: int | None) -> str | None:
    """What to say if training ends at step `steps`, within the warm-up; None if it does not."""
    if steps is None or warm_up_steps <= steps:
        return None
    return (
        f"The warm-up of the KL's weight takes {warm_up_steps} steps, but training ends at step "
        f"{steps}: it would end with another objective than the one asked for. Shorten the warm-up "
        "or train longer."
    )


def warn_of_unfinished_warm_up(model: Any, x: Any, **fit: Any) -> None:
    """Warns where a call of `fit` ends within the warm-up. Later calls may still finish it.

    Args:
        model: The compiled `VAE`.
        x: First argument of `fit`.
        **fit: Its other arguments.
    """
    if not model.objective.warm_up_steps:
        return
    steps = training_steps(x, **fit)
    if steps is not None:
        steps += int(model.step.numpy())
    message = unfinished_warm_up(model.objective.warm_up_steps, steps)
    if message:
        warnings.warn(message, stacklevel=3)
