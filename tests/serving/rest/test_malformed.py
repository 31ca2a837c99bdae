"""Malformed requests over REST: a documented 4xx for each, and a server that lives on."""

import contextlib
import json
import socket
from urllib.parse import urlparse

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUICK = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SLOW = settings(QUICK, max_examples=10_000)

MODELS = "/v1/models/plus_two"
SEEDS = [
    {"instances": [1.0, 2.0]},
    {"signature_name": "add", "instances": [{"a": 1, "b": 2.5}]},
    {"signature_name": "add", "inputs": {"a": [1.0], "b": [2]}},
    {"signature_name": "echo_text", "inputs": ["a", {"b64": "YQ=="}]},
    {"signature_name": "matmul", "inputs": [[1, 2, 3, 4]]},
    {"signature_name": "classify", "examples": [{"x": 1.5}], "context": {"y": ["a", "b"]}},
]
TEXTS = [json.dumps(seed).encode() for seed in SEEDS]
DOCUMENTED = {200, 400, 404, 413}
METHODS = ("predict", "classify", "regress")

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.builds(lambda text: {"b64": text}, st.text("YQ=- \n", max_size=6))
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "x", "b64"]), inner, max_size=3)
    ),
    max_leaves=10,
)
signatures = st.sampled_from(
    ["add", "echo", "echo_text", "types", "matmul", "scalar", "regress", "no"]
)
objects = st.fixed_dictionaries(
    {},
    optional={
        "instances": values | st.lists(values, max_size=3),
        "inputs": values,
        "examples": values | st.lists(st.dictionaries(st.just("x"), values), max_size=3),
        "context": values,
        "signature_name": signatures | leaves,
    },
).map(lambda value: json.dumps(value).encode())


@st.composite
def damaged(draw, texts):
    """One of `texts` with a few bytes changed, taken out, put in, or cut off."""
    text = bytearray(draw(st.sampled_from(texts)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        match draw(st.sampled_from(["change", "insert", "remove", "cut", "repeat"])):
            case "change":
                text[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "insert":
                text[at:at] = draw(st.binary(max_size=4))
            case "remove":
                del text[at : at + draw(st.integers(1, 4))]
            case "cut":
                del text[at:]
            case "repeat":
                text[at:at] = text[at : at + 8] * draw(st.integers(1, 50))
    return bytes(text)


bodies = objects | damaged(TEXTS) | st.binary(max_size=20)


def check_request(rest, body, method, encoding):
    headers = {"Content-Encoding": encoding} if encoding else {}
    response = rest.post(f"{MODELS}:{method}", content=body, headers=headers)
    assert response.status_code in DOCUMENTED, (response.status_code, response.text, body)
    if response.status_code != 200:
        assert list(response.json()) == ["error"]


def check_alive(rest):
    response = rest.post(f"{MODELS}:predict", content=TEXTS[0])
    assert response.json() == {"predictions": [3.5, 4.0]}


HEAD = b"POST /v1/models/plus_two:predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
RAW = [HEAD % len(text) + text for text in TEXTS] + [
    b"GET /v1/models/plus_two HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
    b"Upgrade: websocket\r\n\r\n",
    b"POST /v1/models/plus_two:predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\n{}}\r\n0\r\n\r\n",
]


def check_raw(url, data):
    address = urlparse(url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as sock:
        received = b""
        with contextlib.suppress(ConnectionError):  # cut off while we send, which is allowed
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while part := sock.recv(65536):
                received += part
    for line in received.split(b"\r\n"):
        if line.startswith(b"HTTP/1.1 5"):
            assert line.startswith(b"HTTP/1.1 501 "), (line, data)  # a verb that does not exist


class TestQuick:
    @QUICK
    @given(bodies, st.sampled_from(METHODS), st.sampled_from(["", "", "", "gzip"]))
    def test_bodies(self, rest, no_errors_logged, body, method, encoding):
        check_request(rest, body, method, encoding)
        check_alive(rest)

    @QUICK
    @given(damaged(RAW) | st.binary(max_size=200))
    def test_raw_bytes(self, server, rest, no_errors_logged, data):
        check_raw(server.rest, data)
        check_alive(rest)

    @pytest.mark.parametrize("depth", [100, 2_000, 30_000])
    @pytest.mark.parametrize("bracket", ["[", '{"inputs":'])
    def test_depth(self, rest, no_errors_logged, depth, bracket):
        close = "]" if bracket == "[" else "}"
        for body in (
            bracket * depth + close * depth,
            '{"inputs": ' + bracket * depth + close * depth + "}",
            '{"examples": ' + bracket * depth + close * depth + "}",
            bracket * depth,
        ):
            for method in ("predict", "classify"):
                check_request(rest, body.encode(), method, "")
        check_alive(rest)


@pytest.mark.slow
class TestSlow:
    @SLOW
    @given(bodies, st.sampled_from(METHODS), st.sampled_from(["", "", "", "gzip"]))
    def test_bodies(self, rest, no_errors_logged, body, method, encoding):
        check_request(rest, body, method, encoding)

    @SLOW
    @given(damaged(RAW) | st.binary(max_size=200))
    def test_raw_bytes(self, server, no_errors_logged, data):
        check_raw(server.rest, data)

    def test_alive(self, rest):
        check_alive(rest)
