"""Whether the first line of a `.csv` file names its columns."""

import itertools
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

_MISSING = frozenset(("na", "n/a", "nan", "null", "none", "?", "-"))


def is_number(text: str) -> bool:
    """Whether a table's text is read as a number."""
    try:
        pc.cast(pc.utf8_trim_whitespace(pa.array([text])), pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def is_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether `first` names the columns, and is no example.

    A line without a number is a header. One with numbers is a header

    - if a word in it stands above a number, as "id" above 17;
    - if its numbers are what names of columns are: whole, growing by one same step (0, 1, 2, ...;
      1990, 1995, 2000), or growing years between 1800 and 2100; while those of no row below are.

    Args:
        first: The fields of the first line.
        rows: Those of the next lines.
    """
    numbers = [i for i, field in enumerate(first) if is_number(field)]
    if not numbers or not rows:
        return not numbers
    words = [
        i for i in set(range(len(first))).difference(numbers) if first[i].lower() not in _MISSING
    ]
    if any(is_number(row[i]) for i in words for row in rows):
        return True
    return _like_names([first[i] for i in numbers]) and not any(
        _like_names([row[i] for i in numbers]) for row in rows
    )


def _like_names(fields: Sequence[str]) -> bool:
    texts = [field.strip() for field in fields]
    if len(texts) < 2 or not all(text.isascii() and text.isdigit() for text in texts):
        return False
    values = [int(text) for text in texts]
    steps = {after - before for before, after in itertools.pairwise(values)}
    years = min(steps) > 0 and values[0] >= 1800 and values[-1] <= 2100
    # Any two numbers have one same step: of two it has to be 1.
    return years or (steps == {1} if len(values) == 2 else len(steps) == 1 and min(steps) > 0)
