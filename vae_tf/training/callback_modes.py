"""The direction of the metrics that Keras' callbacks monitor."""

from collections.abc import Collection
from typing import Any

import keras

_MONITORING = (
    keras.callbacks.EarlyStopping,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.OrbaxCheckpoint,
    keras.callbacks.ReduceLROnPlateau,
)


def set_modes(callbacks: Any, logged: Collection[str], higher_is_better: Collection[str]) -> None:
    """Sets the mode "max" or "min" of the callbacks whose mode is "auto".

    Keras finds the direction of its own metrics only. Of any other name it raises an error, which
    also holds for names that are not in `logged`, such as those that a callback of the user logs.

    Args:
        callbacks: A callback, a nested list of them, a `CallbackList`, or None.
        logged: Names of the values that the model logs, without `val_`.
        higher_is_better: Those of them that are to rise. All others are to fall.
    """
    for callback in keras.tree.flatten(getattr(callbacks, "callbacks", callbacks)):
        if isinstance(callback, _MONITORING) and callback.mode == "auto":
            name = callback.monitor.removeprefix("val_")
            if name in logged:
                callback.mode = "max" if name in higher_is_better else "min"
