"""`metrics.csv` of a run: one row an epoch, in nats per example."""

import csv
import io
from pathlib import Path

from vae_tf.utils.atomic import write_text
from vae_tf.utils.errors import InputError

# Not of the model: which epoch (counted from 1), how long it took, and when it ended (Unix time).
EPOCH, SECONDS, ENDED = "epoch", "seconds", "ended"

Row = dict[str, float]


def read_metrics(path: Path) -> list[Row]:
    """The rows of `metrics.csv`, none if there is no such file.

    Args:
        path: The file.

    Returns:
        One mapping of names to numbers an epoch, in the order of the file.

    Raises:
        InputError: if the file is not what `write_metrics` writes.
    """
    if not path.exists():
        return []
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = [
                {name: float(text) for name, text in row.items()} for row in csv.DictReader(file)
            ]
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{path} is not the table of numbers that a run writes ({error}); move it away, and "
            "the run goes on without the figures of its first epochs."
        ) from error
    return rows


def write_metrics(path: Path, rows: list[Row]) -> None:
    """Writes all rows at once, so that the file is never half of one.

    Args:
        path: The file.
        rows: See `read_metrics`. A value that a row lacks is NaN.

    Raises:
        OSError: if it cannot be written.
    """
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, restval="nan", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, EPOCH: int(row[EPOCH])})
    write_text(path, text.getvalue())


def as_history(rows: list[Row]) -> dict[str, list[float]]:
    """The rows as Keras' `history`: name -> one value an epoch, without times and epoch numbers."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        name: [row.get(name, float("nan")) for row in rows]
        for name in names
        if name not in (EPOCH, SECONDS, ENDED)
    }
