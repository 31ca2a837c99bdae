"""The body of a request as a JSON object."""

from dataclasses import dataclass
from typing import Any

import orjson

from vae_tf_serving.rest.json_echo import echo
from vae_tf_serving.rest.json_scanner import JsonSyntaxError, scan
from vae_tf_serving.rest.time_limit import TimeLimit
from vae_tf_serving.status import Code, StatusError

_TOP_LEVEL_KEYS = ("instances", "inputs", "signature_name", "examples", "context")


@dataclass(frozen=True)
class Document:
    """A parsed body.

    Args:
        members: The object.
        may_have_bools: False where no true and no false stands in the text at all, so that a list
            of numbers need not be searched for them.
        may_have_strings: False where every string is a key or a member of the object itself.
    """

    members: dict[str, Any]
    may_have_bools: bool = True
    may_have_strings: bool = True

    @property
    def signature_name(self) -> str:
        """The value of that key, or empty.

        Raises:
            StatusError: INVALID_ARGUMENT: it is no string.
        """
        name = self.members.get("signature_name", "")
        if not isinstance(name, str):
            raise StatusError(
                Code.INVALID_ARGUMENT,
                f"JSON Value: {echo(self.members)} not formatted correctly. "
                "'signature_name' key must be a string value.",
            )
        return name


def parse(body: bytes, limit: TimeLimit | None = None) -> Document:
    """Reads a body: `orjson` if it can, else the lenient scanner.

    Of two equal keys the first counts at the top level; below it `orjson` takes the last.

    Raises:
        StatusError: INVALID_ARGUMENT: no JSON, or no object; DEADLINE_EXCEEDED: it takes longer
            than `limit`.
    """
    if not body:
        raise StatusError(Code.INVALID_ARGUMENT, "JSON Parse error: The document is empty")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _scan(body, limit)
    if not isinstance(value, dict):
        raise StatusError(Code.INVALID_ARGUMENT, f"JSON Value: {echo(value)} Is not object")
    # A repeated key, like a string among the values, leaves quotation marks that are not expected.
    strings = body.count(b'"') != 2 * _expected_strings(value)
    if strings and _repeats(body, value):
        value = _scan(body, limit)
    return Document(value, b"true" in body or b"false" in body, strings)


def _expected_strings(members: dict[str, Any]) -> int:
    """Those that a request of numbers has: names, and the values of single members."""
    inputs, rows = members.get("inputs"), members.get("instances")
    count = len(members)
    count += sum(isinstance(value, str) for key, value in members.items() if key != "inputs")
    if isinstance(inputs, dict):
        count += len(inputs)
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        count += sum(len(row) for row in rows if isinstance(row, dict))
    return count


def _repeats(body: bytes, members: dict[str, Any]) -> bool:
    """Whether a key that matters may stand twice at the top level, of which `orjson` took the last.

    Inputs and rows may well have an input of such a name. Behind a backslash anything may be.
    """
    inputs, rows = members.get("inputs"), members.get("instances")
    for name in _TOP_LEVEL_KEYS:
        count = body.count(b'"%b"' % name.encode())
        if count < 2:
            continue
        known = (name in members) + (isinstance(inputs, dict) and name in inputs)
        if isinstance(rows, list):
            known += sum(isinstance(row, dict) and name in row for row in rows)
        if count > known or b"\\" in body:
            return True
    return False


def _scan(body: bytes, limit: TimeLimit | None) -> Any:
    try:
        return scan(body, limit)
    except JsonSyntaxError as error:
        raise StatusError(Code.INVALID_ARGUMENT, f"JSON Parse error: {error}") from None
