"""Lenient JSON scanner, with the grammar and the error messages of RapidJSON.

It parses what `orjson` refuses: NaN and Infinity, text after the closing brace, a byte order mark,
invalid UTF-8 in strings, and lists nested to any depth. It finds the error and its offset in text that
is not JSON. It does not recurse, so depth costs memory only.
"""

import re
from typing import Any

from vae_tf_serving.rest.time_limit import TimeLimit

_SPACE = re.compile(rb"[ \t\n\r]*")
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX = re.compile(rb"[0-9a-fA-F]{4}")
_ESCAPES = {
    b'"': '"', b"\\": "\\", b"/": "/", b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t",
}  # fmt: skip
_LITERALS: tuple[tuple[bytes, Any], ...] = ((b"true", True), (b"false", False), (b"null", None))
_LONGEST_INTEGER = 20  # characters of -2^63 and of 2^64 - 1
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class JsonSyntaxError(ValueError):
    """Syntax error: `message` is RapidJSON's, `offset` counts bytes."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} at offset: {offset}")
        self.message, self.offset = message, offset


def scan(data: bytes, limit: TimeLimit | None = None) -> Any:
    """Parses the first JSON value in `data`; of two equal keys the first is taken.

    Invalid UTF-8 in strings becomes surrogate escapes. Numbers are ints if they are integers of 64
    bits, signed or not, otherwise floats.

    Raises:
        JsonSyntaxError: Invalid JSON.
        StatusError: DEADLINE_EXCEEDED: `limit` has passed.
    """
    return _Scanner(data, limit or TimeLimit()).value()


class _Scanner:
    def __init__(self, data: bytes, limit: TimeLimit) -> None:
        self.data, self.limit = data, limit
        self.at = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0

    def value(self) -> Any:
        """Parses a value; `open_` is the stack of containers around `self.at`, with their next keys."""
        self._space()
        if self.at >= len(self.data) or self._peek() == b"\0":
            raise JsonSyntaxError("The document is empty.", self.at)
        open_: list[tuple[list | dict, str]] = []
        while True:
            self.limit.step()
            token = self._peek()
            if token == b"[" or token == b"{":
                self.at += 1
                value: Any = [] if token == b"[" else {}
                self._space()
                if self._peek() != (b"]" if token == b"[" else b"}"):
                    open_.append((value, self._key() if token == b"{" else ""))
                    continue
                self.at += 1
            else:
                value = self._scalar(token)
            while open_:
                container, key = open_[-1]
                if isinstance(container, list):
                    container.append(value)
                else:
                    container.setdefault(key, value)
                if self._more(container):
                    open_[-1] = (container, self._key() if isinstance(container, dict) else "")
                    break
                value = open_.pop()[0]
            else:
                return value

    def _more(self, container: list | dict) -> bool:
        """Skips a comma (True) or the end of the container (False)."""
        self._space()
        token = self._peek()
        self.at += 1
        if token == b",":
            self._space()
            return True
        if token == (b"]" if isinstance(container, list) else b"}"):
            return False
        raise JsonSyntaxError(
            "Missing a comma or ] after an array element."
            if isinstance(container, list)
            else "Missing a comma or } after an object member.",
            self.at - 1,
        )

    def _key(self) -> str:
        if self._peek() != b'"':
            raise JsonSyntaxError("Missing a name for object member.", self.at)
        key = self._string()
        self._space()
        if self._peek() != b":":
            raise JsonSyntaxError("Missing a colon after a name of object member.", self.at)
        self.at += 1
        self._space()
        return key

    def _scalar(self, token: bytes) -> Any:
        if token == b'"':
            return self._string()
        for word, value in _LITERALS:
            if token == word[:1]:
                self._word(word)
                return value
        return self._number()

    def _number(self) -> int | float:
        start = self.at
        negative = self._peek() == b"-"
        self.at += negative
        if self._peek() == b"N":
            self._word(b"NaN")
            return float("nan")
        if self._peek() == b"I":
            self._word(b"Inf")
            if self._peek() == b"i":
                self._word(b"inity")
            return float("-inf") if negative else float("inf")
        match = _NUMBER.match(self.data, start)
        if match is None:
            raise JsonSyntaxError("Invalid value.", self.at)
        text, end = match.group(), match.end()
        fraction, exponent = match.groups()
        following = self.data[end : end + 1]
        if following == b"." and fraction is None and exponent is None:
            raise JsonSyntaxError("Miss fraction part in number.", end + 1)
        if following in (b"e", b"E") and exponent is None:
            signed = self.data[end + 1 : end + 2] in (b"+", b"-")
            raise JsonSyntaxError("Miss exponent in number.", end + 1 + signed)
        self.at = end
        if fraction is None and exponent is None and len(text) <= _LONGEST_INTEGER:
            integer = int(text)
            if -(2**63) <= integer < 2**64:
                return integer
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise JsonSyntaxError("Number too big to be stored in double.", start)
        return number

    def _string(self) -> str:
        self.at += 1
        parts = []
        while True:
            self.limit.step()
            match = _PLAIN.match(self.data, self.at)
            assert match is not None  # it matches nothing at all
            parts.append(match.group().decode("utf-8", "surrogateescape"))
            self.at = match.end()
            token = self._peek()
            if token == b'"':
                self.at += 1
                return "".join(parts)
            if token == b"\\":
                parts.append(self._escape())
            elif token in (b"", b"\0"):
                raise JsonSyntaxError("Missing a closing quotation mark in string.", self.at)
            else:
                raise JsonSyntaxError("Invalid encoding in string.", self.at)

    def _escape(self) -> str:
        start = self.at
        token = self.data[start + 1 : start + 2]
        self.at += 2
        if token != b"u":
            if token not in _ESCAPES:
                raise JsonSyntaxError("Invalid escape character in string.", start)
            return _ESCAPES[token]
        high = self._hex(start)
        if not 0xD800 <= high <= 0xDFFF:
            return chr(high)
        if high >= 0xDC00 or self.data[self.at : self.at + 2] != b"\\u":
            raise JsonSyntaxError("The surrogate pair in string is invalid.", start)
        self.at += 2
        low = self._hex(start)
        if not 0xDC00 <= low <= 0xDFFF:
            raise JsonSyntaxError("The surrogate pair in string is invalid.", start)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))

    def _hex(self, start: int) -> int:
        match = _HEX.match(self.data, self.at)
        if match is None:
            raise JsonSyntaxError("Incorrect hex digit after \\u escape in string.", start)
        self.at = match.end()
        return int(match.group(), 16)

    def _word(self, word: bytes) -> None:
        for letter in word:
            if self._peek() != bytes((letter,)):
                raise JsonSyntaxError("Invalid value.", self.at)
            self.at += 1

    def _peek(self) -> bytes:
        return self.data[self.at : self.at + 1]

    def _space(self) -> None:
        match = _SPACE.match(self.data, self.at)
        assert match is not None  # it matches nothing at all
        self.at = match.end()
