"""From verb and path to what is asked for."""

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
_LONGEST_REMEMBERED = 256  # clients choose the paths, and with them what is kept


@dataclass(frozen=True)
class Route:
    """What a request line asks for.

    Args:
        action: `predict`, `classify`, `regress`, `status`, `metadata`; `no_model` (the path names
            none), `malformed`, `bad_version` (beyond int64) or `elsewhere` (not below /v1/).
        name: Of the model; empty where the action is none of the first five.
        version: None: the highest that is available.
        label: None: none given.
    """

    action: str
    name: str = ""
    version: int | None = None
    label: str | None = None


def route(verb: str, path: str) -> Route:
    """Reads a request line as TensorFlow Serving does: the whole path has to match.

    Args:
        verb: As sent, in capitals.
        path: Percent-encoded, query string included, which is therefore never valid.
    """
    return _remembered(verb, path) if len(path) <= _LONGEST_REMEMBERED else _read(verb, path)


def _read(verb: str, path: str) -> Route:
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


_remembered = functools.lru_cache(maxsize=4096)(_read)


def _route(action: str, name: str, version: str | None, label: str | None) -> Route:
    number = None if version is None else int(version[-4000:])
    if number is not None and (number > _INT64_MAX or len(version or "") > 4000):
        return Route("bad_version")
    unquoted = None if label is None else urllib.parse.unquote(label)
    return Route(action, urllib.parse.unquote(name), number, unquoted)
