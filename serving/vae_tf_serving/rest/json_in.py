"""Parses the body of a request, a JSON object."""

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
    """Parsed body.

    Args:
        members: The object.
        may_have_bools: False if the text has neither true nor false, so that a list of numbers need
            not be searched for them.
        may_have_strings: False if every string is a key or a member of the object itself.
    """

    members: dict[str, Any]
    may_have_bools: bool = True
    may_have_strings: bool = True

    @property
    def signature_name(self) -> str:
        """Value of the key `signature_name`; empty without it.

        Raises:
            StatusError: INVALID_ARGUMENT: the value is not a string.
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
    """Parses a body with `orjson`, or with the lenient scanner if `orjson` refuses it.

    Of two equal keys the first is taken at the top level; below it `orjson` takes the last.

    Raises:
        StatusError: INVALID_ARGUMENT: not JSON, or not an object; DEADLINE_EXCEEDED: `limit` has
            passed.
    """
    if not body:
        raise StatusError(Code.INVALID_ARGUMENT, "JSON Parse error: The document is empty")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _scan(body, limit)
    if not isinstance(value, dict):
        raise StatusError(Code.INVALID_ARGUMENT, f"JSON Value: {echo(value)} Is not object")
    # A repeated key, and a string among the values, both add quotation marks to the expected number.
    strings = body.count(b'"') != 2 * _expected_strings(value)
    if strings and _repeats(body, value):
        value = _scan(body, limit)
    return Document(value, b"true" in body or b"false" in body, strings)


def _expected_strings(members: dict[str, Any]) -> int:
    """Counts the strings that a request of numbers has: names, and values of top-level members."""
    inputs, rows = members.get("inputs"), members.get("instances")
    count = len(members)
    count += sum(isinstance(value, str) for key, value in members.items() if key != "inputs")
    if isinstance(inputs, dict):
        count += len(inputs)
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        count += sum(len(row) for row in rows if isinstance(row, dict))
    return count


def _repeats(body: bytes, members: dict[str, Any]) -> bool:
    """Returns whether a key may be repeated at the top level, where `orjson` takes the last.

    An input may have the name of such a key. With a backslash, keys cannot be counted in the text.
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
