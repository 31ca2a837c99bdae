"""The direction of the metrics that Keras' callbacks monitor."""

from collections.abc import Iterable
from typing import Any

import keras

_MONITORING = (
    keras.callbacks.EarlyStopping,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.ReduceLROnPlateau,
)


def set_modes(callbacks: Any, higher_is_better: Iterable[str]) -> None:
    """Sets the mode "max" or "min" of the callbacks whose mode is "auto".

    Keras finds the direction of its own metrics only; of any other name it raises an error.

    Args:
        callbacks: A callback, a list of them, a `CallbackList`, or None.
        higher_is_better: Names of logged values that are to rise, without `val_`. All others are to
            fall.
    """
    listed = getattr(callbacks, "callbacks", callbacks)
    for callback in listed if isinstance(listed, list | tuple) else [listed]:
        if isinstance(callback, _MONITORING) and callback.mode == "auto":
            name = callback.monitor.removeprefix("val_")
            callback.mode = "max" if name in set(higher_is_better) else "min"
