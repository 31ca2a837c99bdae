"""Columns of a table that number or name its rows, and are no data."""

import json
import re

import pyarrow as pa

_PANDAS_UNNAMED = re.compile(r"Unnamed: 0(\.\d+|_level_\d+)?")


def declared_indices(table: pa.Table) -> dict[str, str]:
    """The index columns that pandas declares in the metadata of a `.parquet`: name -> reason."""
    metadata = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    declared = [name for name in metadata.get("index_columns", ()) if isinstance(name, str)]
    return {name: "pandas' index" for name in declared if name in table.column_names}


def csv_indices(table: pa.Table) -> dict[str, str]:
    """The columns of a `.csv` that hold an index or nothing: name -> reason.

    They are a first column without a name, pandas' "Unnamed: 0", and a further column without a
    name and without values, such as a comma at the end of each line makes.
    """
    found = {}
    for i, name in enumerate(table.column_names):
        if not name and i == 0:
            found[name] = "a first column without a name, an index"
        elif not name and table.column(i).null_count == table.num_rows:
            found[name] = "without a name and empty"
        elif _PANDAS_UNNAMED.fullmatch(name):
            found[name] = "pandas' index"
    return found
