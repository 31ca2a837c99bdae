"""The arrays of a source, with their names and their account."""

import dataclasses
from typing import Any

from vae_tf.data.account import Account


@dataclasses.dataclass
class Arrays:
    """What a source read: one or two splits, and names.

    Attributes:
        x_train: [N, *event] or [N, H, W], uint8 or float.
        x_test: the same, or None: then a part of `x_train` is held out.
        y_train: int [N] or None.
        y_test: int [M] or None.
        class_names: tuple of str, or empty.
        column_names: tuple of str, or empty.
        divisor: float or None. What 1.0 is in `x_train`; None: found from the dtype.
        table: bool. Whether these are columns of numbers, which cannot be binarised.
        account: Account. What was taken of the source, and what was left out.
    """

    x_train: Any
    x_test: Any = None
    y_train: Any = None
    y_test: Any = None
    class_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    divisor: float | None = None
    table: bool = False
    account: Account = dataclasses.field(default_factory=Account)
