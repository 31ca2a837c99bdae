"""`.csv` and `.parquet` tables of numbers."""

import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from vae_tf.data.from_arrays import Arrays
from vae_tf.utils.errors import InputError


def read(path: pathlib.Path, label_column: str | None = None) -> Arrays:
    """The numbers of a table.

    Args:
        path: pathlib.Path. `.csv` (first line: column names, unless all of them are numbers; then
            the columns are named "1", "2", ...) or `.parquet`.
        label_column: str or None. A column of classes, numbers or words, taken out as labels.

    Returns:
        Arrays with x float32 [N, D].

    Raises:
        InputError: naming row and column of a missing value or of one that is no number, or if
            the file is damaged or has no such label column.
    """
    try:
        table = _read_csv(path) if path.suffix.lower() == ".csv" else pa.parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path} cannot be read as a table ({str(error).splitlines()[0]}); expected a "
            f"{path.suffix} file with one row an example."
        ) from None
    names = table.column_names
    columns = {name: i for i, name in enumerate(names)}
    if len(columns) < len(names):
        raise InputError(f"{path} has two columns of one name; rename one of them.")
    if label_column is not None and label_column not in columns:
        raise InputError(
            f"{path} has no column {label_column!r}; its columns are {', '.join(names)}."
        )
    for name in names:
        _refuse_missing(table.column(columns[name]), name, path)
    classes: tuple[str, ...] = ()
    labels = None
    if label_column is not None:
        labels, classes = _labels(table.column(columns.pop(label_column)))
    if not columns or not table.num_rows:
        raise InputError(f"{path} holds no numbers; expected rows and columns of them.")
    x = np.stack([_numbers(table.column(i), name, path) for name, i in columns.items()], axis=1)
    return Arrays(x, y_train=labels, class_names=classes, column_names=tuple(columns), table=True)


def _read_csv(path: pathlib.Path) -> pa.Table:
    # As text first: pyarrow guesses a column's type from the first megabyte and gives up where a
    # later value is of another, and only text allows to name the row of a value that is no number.
    with pa.csv.open_csv(path) as reader:
        names = reader.schema.names
    headless = all(_is_number(name) for name in names)
    if headless:
        names = [str(i + 1) for i in range(len(names))]
    return pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(
            column_names=names if headless else None, autogenerate_column_names=False
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True
        ),
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_missing(column: pa.ChunkedArray, name: str, path: pathlib.Path) -> None:
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py() + 1
        raise InputError(
            f"{path} has a missing value in row {row}, column {name!r} ({column.null_count} in "
            "that column; the first row under the header is row 1); fill it in, or remove the row "
            "or the column."
        )


def _numbers(column: pa.ChunkedArray, name: str, path: pathlib.Path) -> np.ndarray:
    """A column as float32 [N]."""
    kind = column.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if text and path.suffix.lower() == ".csv":
        try:
            column = pc.cast(pc.utf8_trim_whitespace(column), pa.float64())
        except pa.ArrowInvalid:
            values = column.to_pylist()
            row = next(i for i, value in enumerate(values) if not _is_number(value))
            raise InputError(
                f"{path} has {values[row]!r} in row {row + 1}, column {name!r}, which is no "
                "number; remove the column or turn it into numbers (or name it as label_column)."
            ) from None
    elif not (number or pa.types.is_boolean(kind)):
        raise InputError(
            f"{path} has the column {name!r} of type {kind}, which holds no numbers; remove the "
            "column or turn it into numbers (or name it as label_column)."
        )
    with np.errstate(over="ignore"):  # an infinity is refused here
        values = pc.cast(column, pa.float64()).to_numpy().astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise InputError(
            f"{path} has NaN, infinity or a number beyond float32 in row {bad[0] + 1}, column "
            f"{name!r}; fill it in, or remove the row or the column."
        )
    return values


def _labels(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels int64 [N] counted from 0 in the order of the sorted classes, and their names."""
    raw: Any = column.to_pylist()
    if all(isinstance(value, str) and _is_number(value) for value in raw):
        classes, labels = np.unique(np.array(raw, np.float64), return_inverse=True)
        names = tuple(f"{value:g}" for value in classes)
    else:
        found, labels = np.unique(np.array(raw), return_inverse=True)
        names = tuple(str(value) for value in found)
    return labels.reshape(-1).astype(np.int64), names
