"""Formats a JSON value for error messages, as TensorFlow Serving does."""

from collections.abc import Iterator
from typing import Any

import orjson

from vae_tf_serving.rest.json_out import decimal

_MAX_BYTES = 256  # no further token is written after them


def echo(value: Any) -> str:
    """Pretty-prints `value`, lists on one line; truncated after the first token past 256 bytes."""
    parts, length = [], 0
    for token in _tokens(value):
        parts.append(token)
        length += len(token.encode("utf-8", "surrogateescape"))
        if length > _MAX_BYTES:
            break
    return "".join(parts)


def type_name(value: Any) -> str:
    """Returns RapidJSON's name of the type of a value: Null, True, False, Number, String, ..."""
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    for kind, name in (((int, float), "Number"), (str, "String"), (list, "Array")):
        if isinstance(value, kind):
            return name
    return "Object"


def quoted(text: str) -> str:
    """Formats a JSON string; surrogate escapes, which stand for invalid UTF-8, are replaced."""
    try:
        return orjson.dumps(text).decode()
    except TypeError:  # a surrogate
        parts = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return orjson.dumps(parts).decode()


def _tokens(value: Any) -> Iterator[str]:
    """Yields the tokens of `value`, without recursion, since its depth is not limited."""
    stack: list[tuple[Iterator, str, str]] = []  # remaining members, closing bracket, indent
    indent, pending = "", [("", value)]
    while pending or stack:
        if pending:
            prefix, value = pending.pop()
        else:
            rest, close, indent = stack[-1]
            try:
                prefix, value = next(rest)
            except StopIteration:
                stack.pop()
                yield close
                continue
        if isinstance(value, dict) and value:
            inner = indent + "    "
            stack.append((_members(value, inner), f"\n{indent}}}", inner))
            yield prefix + "{"
        elif isinstance(value, list) and value:
            stack.append((_elements(value), "]", indent))
            yield prefix + "["
        else:
            yield prefix + _scalar(value)


def _members(value: dict, indent: str) -> Iterator[tuple[str, Any]]:
    for number, (key, member) in enumerate(value.items()):
        yield f"{',' if number else ''}\n{indent}{quoted(key)}: ", member


def _elements(value: list) -> Iterator[tuple[str, Any]]:
    for number, element in enumerate(value):
        yield ", " if number else "", element


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        return decimal(value)
    return orjson.dumps(value).decode()
