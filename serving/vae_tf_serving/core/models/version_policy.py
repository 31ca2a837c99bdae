"""Versions of a model on disk, and its version policy."""

import logging
import re
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)
_INT64 = range(-(2**63), 2**63)
# The grammar of C++'s safe_strto64, surrounding blanks included
_NUMBER = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)


def find_versions(base_path: Path) -> dict[int, Path]:
    """Finds the children of `base_path` whose name is an integer: version -> path.

    If two names stand for one number, the lexicographically last is taken, with a warning.

    Raises:
        OSError: `base_path` cannot be listed.
    """
    found: dict[int, Path] = {}
    for child in sorted(base_path.iterdir(), key=lambda path: path.name):
        if not _NUMBER.fullmatch(child.name) or int(child.name) not in _INT64:
            continue
        version = int(child.name)
        if version in found:
            _LOG.warning(
                "Duplicate version directories detected. Version %d will be loaded from %s, %s "
                "will be ignored.",
                version,
                child.name,
                found[version].name,
            )
        found[version] = child
    return found


def aspired_versions(model: Any, found: dict[int, Path]) -> dict[int, Path]:
    """Selects the versions that the version policy of a ModelConfig asks for.

    Policies are `latest` (the default; the number 0 means 1), `all` and `specific`; a missing version
    of the last is logged as a warning.
    """
    policy = model.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return found
    if choice == "specific":
        for version in sorted(set(policy.specific.versions) - set(found)):
            _LOG.warning(
                "Version %d of servable %s, which was requested to be served as a 'specific' "
                "version in the servable's version policy, was not found in the file system",
                version,
                model.name,
            )
        return {number: found[number] for number in policy.specific.versions if number in found}
    count = max(policy.latest.num_versions, 1)
    return {number: found[number] for number in sorted(found)[-count:]}
