"""Parses the verb and the path of a request into a route."""

import functools
import re
import urllib.parse
from dataclasses import dataclass

_SERVED = re.compile(r"(?i:/v1)/.*")
_CALL = re.compile(
    r"(?i:/v1/models)/([^/:]+)(?:/(?i:versions)/([0-9]+)|/(?i:labels)/([^/:]+))?"
    r":((?i:classify|regress|predict))"
)
_READ = re.compile(
    r"(?i:/v1/models)(?:/([^/:]+))?(?:/(?i:versions)/([0-9]+)|/(?i:labels)/([^/:]+))?"
    r"(?:/((?i:metadata)))?"
)
_INT64_MAX = 2**63 - 1
_MAX_CACHED_LENGTH = 256  # clients choose the paths that are cached


@dataclass(frozen=True)
class Route:
    """Action, model and version that a request line names.

    Args:
        action: `predict`, `classify`, `regress`, `status`, `metadata`; or `no_model` (a path without
            a model), `malformed`, `bad_version` (beyond int64), `elsewhere` (not below /v1/).
        name: Name of the model; empty unless the action is one of the first five.
        version: Number of the version; None for the highest that is available.
        label: Label of the version; None for none.
    """

    action: str
    name: str = ""
    version: int | None = None
    label: str | None = None


def parse_route(verb: str, path: str) -> Route:
    """Parses a request line as TensorFlow Serving does: the whole path must match.

    Args:
        verb: In capitals.
        path: Percent-encoded, with the query string, so that a path with one never matches.
    """
    return _cached_parse(verb, path) if len(path) <= _MAX_CACHED_LENGTH else _parse(verb, path)


def _parse(verb: str, path: str) -> Route:
    if not _SERVED.fullmatch(path):
        return Route("elsewhere")
    if verb == "POST" and (match := _CALL.fullmatch(path)):
        name, version, label, action = match.groups()
        if action in ("classify", "regress", "predict"):
            return _route(action, name, version, label)
    elif verb == "GET" and (match := _READ.fullmatch(path)):
        name, version, label, metadata = match.groups()
        if name is None:
            return Route("no_model")
        return _route("metadata" if metadata == "metadata" else "status", name, version, label)
    return Route("malformed")


_cached_parse = functools.lru_cache(maxsize=4096)(_parse)


def _route(action: str, name: str, version: str | None, label: str | None) -> Route:
    number = None if version is None else int(version[-4000:])
    if number is not None and (number > _INT64_MAX or len(version or "") > 4000):
        return Route("bad_version")
    unquoted = None if label is None else urllib.parse.unquote(label)
    return Route(action, urllib.parse.unquote(name), number, unquoted)
