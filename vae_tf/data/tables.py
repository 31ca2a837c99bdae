"""`.csv` and `.parquet` tables of numbers."""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from vae_tf.data.account import Account, shortened
from vae_tf.data.arrays import Arrays
from vae_tf.data.csv_header import is_number
from vae_tf.data.csv_table import read_csv
from vae_tf.data.index_columns import csv_indices, declared_indices
from vae_tf.utils.errors import InputError

_DROPPED = "dropped as asked"


def read(
    path: pathlib.Path,
    label_column: str | None = None,
    drop: Sequence[str] = (),
    columns: Sequence[str] | None = None,
) -> Arrays:
    """The numbers of a table.

    Index columns are left out: those that pandas declares in a `.parquet`, and of a `.csv` a first
    column without a name and pandas' "Unnamed: 0".

    Args:
        path: pathlib.Path. `.csv` (see `csv_header` for whether the first line names the columns;
            otherwise they are named "1", "2", ...) or `.parquet`.
        label_column: str or None. A column of classes, numbers or words, taken out as labels.
        drop: sequence of str. Columns to leave out.
        columns: sequence of str or None. The columns that are wanted, in this order; then those of
            `drop` and `label_column` need not be there. Defaults to all that are there.

    Returns:
        Arrays with x float64 [N, D], each value within the range of float32.

    Raises:
        InputError: naming row and column of a missing value or of one that is no number, a column
            that is missing or not wanted, or if the file is damaged.
    """
    table, remarks = _read(path)
    names = table.column_names
    found = {name: i for i, name in enumerate(names)}
    if len(found) < len(names):
        raise InputError(f"{path} has two columns of one name; rename one of them.")
    if label_column is not None and label_column not in found and columns is not None:
        label_column = None
    named = [name for name in (label_column, *(() if columns is not None else drop)) if name]
    for name in named:
        if name not in found:
            raise InputError(f"{path} has no column {name!r}; its columns are {', '.join(names)}.")
    if label_column is not None and label_column in drop:
        raise InputError(f"{label_column!r} is both the label column and to be dropped; choose.")
    indices = csv_indices(table) if path.suffix.lower() == ".csv" else declared_indices(table)
    wanted = {label_column, *(columns or ())}
    skipped = {name: why for name, why in indices.items() if name not in wanted}
    skipped |= {name: _DROPPED for name in drop if name in found and name not in wanted}
    kept = {name: i for name, i in found.items() if name not in skipped}
    for name, i in kept.items():
        _refuse_missing(table.column(i), name, path)
    classes: tuple[str, ...] = ()
    labels = None
    if label_column is not None:
        labels, classes = _labels(table.column(kept.pop(label_column)))
    if columns is not None:
        kept = _in_order(kept, columns, path)
    if not kept or not table.num_rows:
        raise InputError(f"{path} holds no numbers; expected rows and columns of them.")
    x = np.stack([_numbers(table.column(i), name, path) for name, i in kept.items()], axis=1)
    taken = len(kept) + (labels is not None)
    account = Account(1, taken, skipped_columns=skipped, remarks=tuple(remarks))
    names_of_x = tuple(kept)
    return Arrays(
        x,
        y_train=labels,
        class_names=classes,
        column_names=names_of_x,
        table=True,
        account=account,
    )


def former_columns(path: pathlib.Path, label_column: str | None) -> tuple[str, ...]:
    """The columns that version 0.1 took, index columns among them: all but the label.

    Raises:
        InputError: if the file is damaged.
    """
    return tuple(name for name in _read(path)[0].column_names if name != label_column)


def _read(path: pathlib.Path) -> tuple[pa.Table, list[str]]:
    try:
        if path.suffix.lower() == ".csv":
            return read_csv(path)
        return pa.parquet.read_table(path), []
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no UTF-8 text ({error.reason}); save it as UTF-8.") from None
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path} cannot be read as a table ({str(error).splitlines()[0]}); expected a "
            f"{path.suffix} file with one row an example."
        ) from None


def _in_order(found: dict[str, int], columns: Sequence[str], path: pathlib.Path) -> dict[str, int]:
    """The wanted columns in their order, if no other is there."""
    missing = [name for name in columns if name not in found]
    further = [name for name in found if name not in columns]
    if missing or further:
        parts = [("lacks", missing), ("has besides", further)]
        said = " and ".join(f"{verb} {shortened(map(repr, of))}" for verb, of in parts if of)
        raise InputError(
            f"{path} {said}, but the columns {shortened(map(repr, columns))} are expected; rename, "
            "add or remove columns so that the names are the same (their order does not matter)."
        )
    return {name: found[name] for name in columns}


def _refuse_missing(column: pa.ChunkedArray, name: str, path: pathlib.Path) -> None:
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py() + 1
        raise InputError(
            f"{path} has a missing value in row {row}, column {name!r} ({column.null_count} in "
            "that column; the first row under the header is row 1); fill it in, or remove the row "
            "or the column."
        )


def _numbers(column: pa.ChunkedArray, name: str, path: pathlib.Path) -> np.ndarray:
    """A column as float64 [N]."""
    kind = column.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if text and path.suffix.lower() == ".csv":
        try:
            column = pc.cast(pc.utf8_trim_whitespace(column), pa.float64())
        except pa.ArrowInvalid:
            values = column.to_pylist()
            row = next(i for i, value in enumerate(values) if not is_number(value))
            raise InputError(
                f"{path} has {values[row]!r} in row {row + 1}, column {name!r}, which is no "
                "number; drop the column or turn it into numbers (or name it as label_column)."
            ) from None
    elif not (number or pa.types.is_boolean(kind)):
        raise InputError(
            f"{path} has the column {name!r} of type {kind}, which holds no numbers; drop the "
            "column or turn it into numbers (or name it as label_column)."
        )
    # Not safe: integers beyond 2^53 have a nearest float64, which will do.
    values = pc.cast(column, pa.float64(), safe=False).to_numpy()
    bad = np.flatnonzero(~(np.abs(values) <= np.finfo(np.float32).max))
    if bad.size:
        raise InputError(
            f"{path} has NaN, infinity or a number beyond float32 in row {bad[0] + 1}, column "
            f"{name!r}; fill it in, or remove the row or the column."
        )
    return values


def _labels(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels int64 [N] counted from 0 in the order of the sorted classes, and their names."""
    try:
        numbers = pc.cast(pc.utf8_trim_whitespace(column), pa.float64()).to_numpy()
        classes, labels = np.unique(numbers, return_inverse=True)
        names = tuple(f"{value:g}" for value in classes)
    except pa.ArrowException:  # words, or no text at all
        raw: Any = column.to_pylist()
        found, labels = np.unique(np.array(raw), return_inverse=True)
        names = tuple(str(value) for value in found)
    return labels.reshape(-1).astype(np.int64), names
