"""The body of a request as a JSON object."""

from dataclasses import dataclass
from typing import Any

import orjson

from vae_tf_serving.rest.json_echo import echo
from vae_tf_serving.rest.json_scanner import JsonSyntaxError, scan
from vae_tf_serving.status import Code, StatusError

_TOP_LEVEL_KEYS = (b'"instances"', b'"inputs"', b'"signature_name"')


@dataclass(frozen=True)
class Document:
    """A parsed body.

    Args:
        members: The object.
        may_have_bools: False where no true and no false stands in the text at all, so that a list
            of numbers need not be searched for them.
    """

    members: dict[str, Any]
    may_have_bools: bool = True

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


def parse(body: bytes) -> Document:
    """Reads a body: `orjson` if it can, else the lenient scanner.

    Of two equal keys the first counts at the top level; below it `orjson` takes the last.

    Raises:
        StatusError: INVALID_ARGUMENT: no JSON, or no object.
    """
    if not body:
        raise StatusError(Code.INVALID_ARGUMENT, "JSON Parse error: The document is empty")
    try:
        if any(body.count(key) > 1 for key in _TOP_LEVEL_KEYS):
            value = _scan(body)
        else:
            value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _scan(body)
    if not isinstance(value, dict):
        raise StatusError(Code.INVALID_ARGUMENT, f"JSON Value: {echo(value)} Is not object")
    return Document(value, b"true" in body or b"false" in body)


def _scan(body: bytes) -> Any:
    try:
        return scan(body)
    except JsonSyntaxError as error:
        raise StatusError(Code.INVALID_ARGUMENT, f"JSON Parse error: {error}") from None
