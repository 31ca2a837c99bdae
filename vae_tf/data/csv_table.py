"""A `.csv` file as a table of texts."""

import csv
import itertools
import pathlib

import pyarrow as pa
import pyarrow.csv

from vae_tf.data.csv_header import is_header, is_number

_LOOKED_AT = 100  # lines that tell a header from an example


def read_csv(path: pathlib.Path) -> tuple[pa.Table, list[str]]:
    """The table, all columns text, and what was decided about a first line that holds numbers.

    Args:
        path: pathlib.Path.

    Raises:
        pyarrow.ArrowInvalid: if the file is damaged or empty.
    """
    # As text first: pyarrow guesses a column's type from the first megabyte and gives up where a
    # later value is of another, and only text allows to name the row of a value that is no number.
    with pa.csv.open_csv(path) as reader:
        names = reader.schema.names
    header = is_header(names, _first_rows(path, len(names)))
    remarks = _remarks(path, names, header)
    if not header:
        names = [str(i + 1) for i in range(len(names))]
    table = pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(
            column_names=None if header else names, autogenerate_column_names=False
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True
        ),
    )
    return table, remarks


def _first_rows(path: pathlib.Path, width: int) -> list[list[str]]:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        try:
            rows = list(itertools.islice(csv.reader(file), 1, 1 + _LOOKED_AT))
        except csv.Error:  # what pyarrow will say of it is better
            return []
    return [row for row in rows if len(row) == width]


def _remarks(path: pathlib.Path, names: list[str], header: bool) -> list[str]:
    if not any(map(is_number, names)):
        return []
    shown = ",".join(names[:3]) + (",..." if len(names) > 3 else "")
    if header:
        return [
            f"the first line of {path.name} ({shown}) was taken as the names of the columns; if it is "
            "an example, put a line of names above it"
        ]
    return [
        f"the first line of {path.name} ({shown}) was taken as an example, and the columns are named "
        "by their number; if it is a header, write names that are no numbers"
    ]
