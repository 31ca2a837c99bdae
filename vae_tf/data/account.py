"""The account of the files and columns of a source: taken, skipped, and why."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

_NAMED = 5  # columns that a sentence names


@dataclasses.dataclass(frozen=True)
class Account:
    """How many files and columns were taken, which were left out, and why.

    Attributes:
        files: int. Files that were taken; 0 for arrays in memory and prepared datasets.
        columns: int. Columns of a table, arrays of a `.npz` or features of a dataset that were
            taken, labels among them; 0 where there are none.
        skipped_files: dict. Reason -> how many files or folders.
        skipped_columns: dict. Name of a column, an array or a feature -> reason.
        remarks: tuple of str. What else was decided or looks wrong, each in a sentence.
        kind: "column", "array" or "feature". What the source calls its columns.
    """

    files: int = 0
    columns: int = 0
    skipped_files: Mapping[str, int] = dataclasses.field(default_factory=dict)
    skipped_columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    kind: str = "column"

    def with_remarks(self, remarks: Iterable[str]) -> "Account":
        """The same with further remarks."""
        return dataclasses.replace(self, remarks=(*self.remarks, *remarks))

    @property
    def sentences(self) -> list[str]:
        """The account in one sentence, where there is one to give, and the remarks."""
        taken = [
            counted(n, what) for n, what in ((self.files, "file"), (self.columns, self.kind)) if n
        ]
        reasons: dict[str, list[str]] = {}
        for name, reason in self.skipped_columns.items():
            reasons.setdefault(reason, []).append(repr(name))
        skipped = [f"{number} ({reason})" for reason, number in sorted(self.skipped_files.items())]
        skipped += [f"{shortened(names)} ({reason})" for reason, names in reasons.items()]
        if not taken and not skipped:
            return list(self.remarks)
        sentence = f"{' and '.join(taken) or 'nothing'} taken"
        return [f"{sentence}, skipped: {', '.join(skipped) or 'none'}", *self.remarks]

    def as_dict(self) -> dict[str, Any]:
        """The account as JSON values, the sentences among them."""
        return {**dataclasses.asdict(self), "sentences": self.sentences}


def counted(number: int, what: str) -> str:
    """The number and the noun: "1 file", "2 files"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def shortened(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    names = list(names)
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
