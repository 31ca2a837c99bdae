"""A JSON value as error messages show it."""

from collections.abc import Iterator
from typing import Any

import orjson

from vae_tf_serving.rest.json_out import decimal

_LONGEST = 256  # bytes after which no further token is written


def echo(value: Any) -> str:
    """`value` pretty-printed, lists on one line; cut at the first token past 256 bytes, unclosed."""
    parts, length = [], 0
    for token in _tokens(value):
        parts.append(token)
        length += len(token.encode("utf-8", "surrogateescape"))
        if length > _LONGEST:
            break
    return "".join(parts)


def type_name(value: Any) -> str:
    """RapidJSON's name of the type of a JSON value: Null, True, False, Number, String, ..."""
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    for kind, name in (((int, float), "Number"), (str, "String"), (list, "Array")):
        if isinstance(value, kind):
            return name
    return "Object"


def quoted(text: str) -> str:
    """`text` as a JSON string; invalid UTF-8, kept as surrogate escapes, stays as it is."""
    try:
        return orjson.dumps(text).decode()
    except TypeError:  # a surrogate
        parts = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return orjson.dumps(parts).decode()


def _tokens(value: Any) -> Iterator[str]:
    """Writes with a stack of iterators, since the value may be nested to any depth."""
    stack: list[tuple[Iterator, str, str]] = []  # what is left, its closing bracket, its indent
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
