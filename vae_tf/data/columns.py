"""Columns of numbers: to mean 0 and deviation 1, and those that look wrong."""

import warnings
from collections.abc import Sequence

import numpy as np

from vae_tf.data.account import counted, shortened
from vae_tf.utils.errors import InputError

_ROWS = 4096  # at a time, to hold no second array of that size
_LEAST_ROWS = 20  # fewer whole numbers may well be all different
_LOST = 0.01  # of a column's deviation that float32 may round off


def standardized(
    x: np.ndarray, x_test: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The splits with the train split's columns at mean 0 and deviation 1.

    Args:
        x: float64 [N, D]. Centred as such: float32 cannot tell 1.7e9 from 1.7e9 + 10.
        x_test: float64 [M, D].
        name: str. In messages.

    Returns:
        (x float32, x_test float32, mean float64 [D], stddev float64 [D]). A column of one value
        gets the deviation 1.

    Raises:
        InputError: for images and bytes.
    """
    if x.ndim != 2 or x.dtype == np.uint8:
        raise InputError(
            f"standardize=True was asked for {name!r}, which holds images or bytes; it is for "
            "tables and vectors of numbers only."
        )
    same = (x == x[0]).all(axis=0)
    # The mean of equal numbers is rounded, and their deviation then no 0.
    mean = np.where(same, x[0], x.mean(axis=0))
    stddev = np.where(same, 1.0, x.std(axis=0))
    # Of numbers as near to each other as float64 can tell, or near 0, it may round to 0.
    stddev[stddev == 0] = 1.0
    scaled = [((part - mean) / stddev).astype(np.float32) for part in (x, x_test)]
    return scaled[0], scaled[1], mean, stddev


def suspicious(
    x: np.ndarray, names: Sequence[str], standardize: bool, droppable: bool
) -> list[str]:
    """A sentence for each kind of column that is probably not meant as data.

    The kinds are: one value in all rows; a whole number in each row that no other row has, as
    identifiers have; and, without `standardize`, a spread that float32 cannot hold, of which a
    warning is given as well.

    Args:
        x: [N, D] of the type that the source had. Other shapes and bytes have no such columns.
        names: Name of each column, or empty.
        standardize: bool. Whether the columns are centred before they become float32.
        droppable: bool. Whether `drop` works for them.
    """
    if x.ndim != 2 or x.dtype == np.uint8 or x.dtype.kind == "b":
        return []
    drop = "; drop them (drop=, --drop)" if droppable else "; leave them out"
    same, whole = _of_one_value_and_whole(x)
    found: dict[str, Sequence[int]] = {
        "same": np.flatnonzero(same).tolist(),
        "ids": [i for i in np.flatnonzero(whole & ~same).tolist() if _all_different(x[:, i])],
        "lost": [] if standardize else [i for i in range(x.shape[1]) if _is_lost(x[:, i])],
    }

    def said(kind: str, what: str) -> str:
        labels = [repr(names[i]) if names else str(i) for i in found[kind]]
        return f"{counted(len(labels), 'column')} {what}: {shortened(labels)}"

    sentences = []
    if len(found["same"]):
        sentences.append(f"{said('same', 'with one value in all rows')}{drop}")
    if len(found["ids"]):
        sentences.append(
            f"{said('ids', 'with another whole number in each row')}{drop} if they are identifiers"
        )
    if len(found["lost"]):
        sentences.append(
            f"{said('lost', 'with a spread too small beside the values for float32')}; use "
            "standardize=True (--standardize), which centres in float64"
        )
        warnings.warn(sentences[-1], stacklevel=4)
    return sentences


def _of_one_value_and_whole(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which columns have one value, and which only whole numbers: bool [D] each."""
    same, whole = np.ones((2, x.shape[1]), bool)
    for start in range(0, len(x), _ROWS):
        rows = x[start : start + _ROWS]
        same &= (rows == x[0]).all(axis=0)
        whole &= (rows == np.floor(rows)).all(axis=0)
    return same, whole


def _all_different(column: np.ndarray) -> bool:
    def different(part: np.ndarray) -> bool:
        return len(np.unique(part)) == len(part)

    return len(column) >= _LEAST_ROWS and different(column[:_ROWS]) and different(column)


def _is_lost(column: np.ndarray) -> bool:
    """Whether rounding to float32 moves the values by more than a hundredth of their deviation."""
    if column.dtype in (np.float32, np.float16):
        return False
    exact = column.astype(np.float64)
    moved = exact.astype(np.float32).astype(np.float64) - exact
    return bool(np.sqrt(np.mean(moved**2)) > _LOST * exact.std())
