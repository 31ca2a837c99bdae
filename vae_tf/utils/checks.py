"""Checks of plain arguments."""

from typing import Any

from vae_tf.utils.errors import InputError


def as_int(name: str, value: Any, least: int | None = None) -> int:
    """Converts an integer of Python or NumPy to an int.

    Args:
        name: str. Name of the argument in the message.
        value: int, or another type with `__index__`. A bool is refused.
        least: int or None. Smallest value allowed. Defaults to None (no limit).

    Raises:
        InputError: if `value` is no integer, or is below `least`.
    """
    whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not whole or (least is not None and value < least):
        limit = "" if least is None else f" of at least {least}"
        raise InputError(f"{name} is an int{limit}; got {value!r}.")
    return int(value)


def as_count(name: str, value: Any, least: int = 1) -> int:
    """Converts a number of things to an int of at least `least`; see `as_int`."""
    return as_int(name, value, least)
