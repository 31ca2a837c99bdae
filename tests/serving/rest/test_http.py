"""HTTP around the JSON: compression, CORS, bounds, and clients that misbehave."""

import contextlib
import gzip
import json
import re
import socket
import threading
import time
from urllib.parse import urlparse

import httpx
import pytest

from vae_tf_serving.rest import actions, application, paths, protocol
from vae_tf_serving.startup.flags import AUTO_PORT, Options

PREDICT = "/v1/models/plus_two:predict"
BODY = b'{"instances": [1.0]}'
ANSWER = {"predictions": [3.5]}
LIMIT = 300_000


def connect(url):
    address = urlparse(url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


def exchange(url, *pieces):
    """Everything that comes back until the server closes or five seconds pass."""
    with connect(url) as sock:
        sock.settimeout(5)
        received = b""
        try:
            for piece in pieces:
                sock.sendall(piece)
            while part := sock.recv(65536):
                received += part
        except (TimeoutError, ConnectionError):
            pass
        return received


@pytest.fixture(scope="module")
def bounded(model_folder):
    """A second server with CORS and small bodies, of which it holds little more than one."""
    from vae_tf_serving.server import Server

    options = Options(
        port=0,
        rest_api_port=AUTO_PORT,
        model_name="plus_two",
        model_base_path=str(model_folder / "plus_two"),
        rest_api_enable_cors_support=True,
        rest_api_max_body_bytes=LIMIT,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(application, "_MAX_BYTES_IN_FLIGHT", LIMIT)
        with Server(options) as running:
            assert running.grpc_address is None
            yield f"http://{running.rest_address}"


def until(status, ask):
    """The first answer with that status."""
    for _ in range(100):
        if (response := ask()).status_code == status:
            return response
        time.sleep(0.05)
    raise AssertionError(response.status_code)


class TestCompression:
    def test_gzip(self, rest):
        headers = {"Content-Encoding": "gzip"}
        response = rest.post(PREDICT, content=gzip.compress(BODY), headers=headers)
        assert response.json() == ANSWER
        assert "content-encoding" not in response.headers

    @pytest.mark.parametrize(
        "body",
        [BODY, gzip.compress(BODY)[:-9], gzip.compress(bytes((100 << 20) + 1), 1)],
        ids=["not gzip", "cut off", "a bomb"],
    )
    def test_what_does_not_inflate_is_empty(self, rest, body):
        response = rest.post(PREDICT, content=body, headers={"Content-Encoding": "gzip"})
        assert response.status_code == 400
        assert response.json() == {"error": "JSON Parse error: The document is empty"}

    def test_deflate_is_ignored(self, rest):
        response = rest.post(PREDICT, content=BODY, headers={"Content-Encoding": "deflate"})
        assert response.json() == ANSWER


class TestCors:
    HEADERS = ("origin", "methods", "headers")

    def test_off_by_default(self, rest):
        response = rest.post(PREDICT, content=BODY)
        assert not any("access-control" in name for name in response.headers)

    def test_on(self, embedded, bounded):
        for status, response in (
            (200, httpx.post(bounded + PREDICT, content=BODY)),
            (400, httpx.post(bounded + PREDICT)),
            (404, httpx.get(bounded + "/v1/models/m")),
            (200, httpx.options(bounded + PREDICT, headers={"Origin": "https://a.b"})),
        ):
            assert response.status_code == status
            found = [response.headers[f"access-control-allow-{name}"] for name in self.HEADERS]
            assert found == ["*", "POST, GET", "Content-Type"]

    @pytest.mark.parametrize(
        ("headers", "status"), [({"Origin": "http://a"}, 200), ({"Origin": "null"}, 400), ({}, 400)]
    )
    def test_options(self, rest, headers, status):
        response = rest.options(PREDICT, headers=headers)
        assert (response.status_code, response.content) == (status, b"")


class TestBodies:
    def test_chunked_and_expected(self, rest, server):
        chunks = iter([BODY[:5], BODY[5:]])
        assert rest.post(PREDICT, content=chunks).json() == ANSWER
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(BODY)}\r\n"
        with connect(server.rest) as sock:
            sock.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
            assert sock.recv(99).startswith(b"HTTP/1.1 100 ")
            sock.sendall(BODY)
            assert sock.recv(9999).startswith(b"HTTP/1.1 200 ")

    def test_larger_than_allowed(self, embedded, bounded):
        response = httpx.post(bounded + PREDICT, content=BODY + b" " * LIMIT)
        assert (response.status_code, response.headers["connection"]) == (413, "close")
        assert response.json() == {"error": f"The body is larger than {LIMIT} bytes"}
        unannounced = iter([BODY, b" " * LIMIT])
        assert httpx.post(bounded + PREDICT, content=unannounced).status_code == 413
        answer = httpx.post(bounded + PREDICT, content=BODY).json()
        assert answer == {"predictions": [4.5]}  # version 3

    def test_together_are_bounded(self, embedded, bounded):
        large = BODY + b" " * (LIMIT - 1000)
        with connect(bounded) as slow:
            head = f"POST {PREDICT} HTTP/1.1\r\nContent-Length: {len(large)}\r\n\r\n"
            slow.sendall(head.encode() + large[:-1])
            response = until(503, lambda: httpx.post(bounded + PREDICT, content=large))
            assert response.headers["connection"] == "close"
            assert "try again later" in response.json()["error"]
            assert httpx.post(bounded + PREDICT, content=BODY).status_code == 200  # a small one
            zipped = gzip.compress(large[:200_000])
            headers = {"Content-Encoding": "gzip"}
            response = httpx.post(bounded + PREDICT, content=zipped, headers=headers)
            assert response.status_code == 503
            slow.sendall(large[-1:])
            assert slow.recv(9999).startswith(b"HTTP/1.1 200 ")
        until(200, lambda: httpx.post(bounded + PREDICT, content=large))

    def test_large_answers_are_written_in_a_thread(self, embedded, rest, monkeypatch):
        threads = []

        def watched(outputs, by_row):
            threads.append(threading.current_thread().name)
            return write(outputs, by_row)

        write = application.write_predictions
        monkeypatch.setattr(application, "write_predictions", watched)
        values = list(range(100))
        for most, signature in ((100, "echo"), (99, "echo"), (99, "half_out")):
            monkeypatch.setattr(actions, "_INLINE_VALUES", most)
            body = {"signature_name": signature, "inputs": {"x": values}}
            response = rest.post(PREDICT, json=body)
            if signature == "echo":
                assert response.json() == {"outputs": values}
            else:
                assert response.status_code == 400
                assert "error" in response.json()
        assert threads[0] == "rest"
        assert "rest" not in threads[1:]

    def test_pipelined(self, server):
        request = f"POST {PREDICT} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(BODY)}\r\n"
        first, last = (
            (request + extra + "\r\n").encode() + BODY for extra in ("", "Connection: close\r\n")
        )
        answer = exchange(server.rest, first + first + last)
        assert answer.count(b"HTTP/1.1 200 ") == 3


class TestClientsThatMisbehave:
    def test_do_not_hold_up_the_others(self, rest, server):
        half_a_head = connect(server.rest)
        half_a_head.sendall(b"POST ")
        half_a_body = connect(server.rest)
        half_a_body.sendall(f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 99\r\n\r\n{{".encode())
        deaf = connect(server.rest)
        large = json.dumps({"signature_name": "echo", "instances": [0.1] * 200_000}).encode()
        head = f"POST {PREDICT} HTTP/1.1\r\nContent-Length: {len(large)}\r\n\r\n"
        deaf.sendall(head.encode() + large)
        gone = connect(server.rest)
        gone.sendall(head.encode() + large)
        gone.close()
        with half_a_head, half_a_body, deaf:
            for _ in range(20):
                started = time.monotonic()
                assert rest.post(PREDICT, content=BODY).json() == ANSWER
                assert time.monotonic() - started < 5

    def test_are_cut_off(self, embedded, bounded, monkeypatch):
        monkeypatch.setattr(protocol, "HEAD_SECONDS", 1.0)
        monkeypatch.setattr(protocol, "REQUEST_SECONDS", 1.0)
        head = f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 99\r\n\r\n{{".encode()
        with connect(bounded) as silent, connect(bounded) as stuck:
            stuck.sendall(head)
            for sock in (silent, stuck):
                sock.settimeout(10)
                with contextlib.suppress(ConnectionError):
                    assert sock.recv(99) == b""

    def test_idle_connections_are_closed(self, embedded, bounded, monkeypatch):
        monkeypatch.setattr(protocol, "IDLE_SECONDS", 1.0)
        request = f"POST {PREDICT} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(BODY)}\r\n\r\n"
        with connect(bounded) as sock:
            sock.settimeout(10)
            for pause in (0.7, 0.7, 0):  # is used in time, twice
                sock.sendall(request.encode() + BODY)
                assert sock.recv(9999).startswith(b"HTTP/1.1 200 ")
                time.sleep(pause)
            assert sock.recv(99) == b""

    def test_small_requests_are_answered_in_order_however_they_come(self, embedded, bounded):
        """Alone, sent ahead, in pieces, wrong ones among them, and with what only ASGI's way takes."""
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: a\r\n"
        bodies = [
            b'{"instances": [%d]}' % number if number % 7 else b"%d" % number
            for number in range(60)
        ]
        asked = [body for body in bodies if body.startswith(b"{")]
        answers = [httpx.post(bounded + PREDICT, content=body).json() for body in asked]
        alone = [b"%.1f" % answer["predictions"][0] for answer in answers]
        assert len(set(alone)) == len(asked)
        sent = b"".join(
            head.encode()
            + (b"Expect: 100-continue\r\n" if number % 11 == 5 else b"")
            + (b"Connection: close\r\n" if body is bodies[-1] else b"")
            + b"Content-Length: %d\r\n\r\n" % len(body)
            + body
            for number, body in enumerate(bodies)
        )
        for piece in (len(sent), 50, 977):
            answer = exchange(bounded, *[sent[i : i + piece] for i in range(0, len(sent), piece)])
            found = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
            assert [code for code in found if code != 100] == [
                200 if number % 7 else 400 for number in range(60)
            ]
            values = re.findall(rb'"predictions": \[([0-9.]+)\]', answer)
            assert values == alone

    def test_endless_head(self, embedded, bounded):
        answer = exchange(bounded, b"GET / HTTP/1.1\r\nA: " + b"a" * (1 << 20))
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")

    def test_long_head_in_one_piece(self, embedded, bounded):
        # Whole in one read of the socket, which may be four times as long as a head.
        long = b"A: " + b"a" * (protocol.HEAD_BYTES - 1) + b"\r\n"
        for verb in (b"POST", b"GET"):
            answer = exchange(bounded, verb + b" / HTTP/1.1\r\n" + long + b"\r\n")
            assert answer.startswith(b"HTTP/1.1 400 ")
        request = f"POST {PREDICT} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(BODY)}\r\n"
        shorter = b"A: " + b"a" * (protocol.HEAD_BYTES // 2) + b"\r\n"
        first, last = (
            request.encode() + shorter + extra + b"\r\n" + BODY
            for extra in (b"", b"Connection: close\r\n")
        )
        assert exchange(bounded, first + first + first + last).count(b"HTTP/1.1 200 ") == 4

    def test_long_paths_are_not_kept(self):
        before = paths._cached_parse.cache_info().currsize
        for length in range(257, 300):
            assert paths.parse_route("GET", "/v1/models/".ljust(length, "m")).action == "status"
        assert paths._cached_parse.cache_info().currsize == before

    def test_a_long_run_leaves_the_loop_free(self, rest, server):
        body = {"signature_name": "slow", "inputs": 300_000}
        long = threading.Thread(
            target=httpx.post, args=(server.rest + PREDICT,), kwargs={"json": body, "timeout": 60}
        )
        long.start()
        assert rest.post(PREDICT, content=BODY).json() == ANSWER
        long.join()
