"""The deployment's own files against a running server: health check, Prometheus, rules, dashboard."""

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import tensorflow as tf
import yaml

from tests.serving.deploy.monitoring import dashboard_expressions, rules
from tests.serving.deploy.paths import DEPLOY, load, tool
from vae_tf_serving.server import Server
from vae_tf_serving.startup.flags import parse

CONFIG = DEPLOY / "config"


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`HOST:PORT` of a server that reads the deployment's batching and monitoring files."""
    models = tmp_path_factory.mktemp("models")
    module = tf.Module()
    module.double = tf.function(
        lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec([None, 2], tf.float32, "x")]
    )
    tf.saved_model.save(module, str(models / "vae" / "1"), signatures=module.double)
    file = models / "models.config"
    text = (CONFIG / "models.config").read_text(encoding="utf-8")
    file.write_text(text.replace('"/models/vae"', f'"{models}/vae"'), encoding="utf-8")
    flags = [
        "--port=0",
        "--rest_api_port=auto",
        f"--model_config_file={file}",
        "--enable_batching=true",
        f"--batching_parameters_file={CONFIG}/batching.config",
        f"--monitoring_config_file={CONFIG}/monitoring.config",
    ]
    with Server(parse(flags)) as server:
        assert server.rest_address
        yield server.rest_address


def _ask(rest: str, rows: list[list[float]]) -> httpx.Response:
    return httpx.post(f"http://{rest}/v1/models/vae:predict", json={"instances": rows})


def _answered(rest: str) -> int:
    """Requests that the metrics page counts as answered."""
    page = httpx.get(f"http://{rest}/monitoring/prometheus/metrics").text
    (count,) = re.findall(r'^:\S+:request_count\{model_name="vae",status="OK"\} (\d+)$', page, re.M)
    return int(count)


def test_health_check_finds_the_server_healthy(rest):
    port = rest.rpartition(":")[2]
    for model, code in (("vae", 0), ("other", 1)):
        command = ["bash", CONFIG / "healthcheck.sh", model, port]
        assert subprocess.run(command, timeout=10).returncode == code


@pytest.fixture(scope="module")
def prometheus(rest: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Prometheus with the deployment's files, pointed at `rest`, in a hurry."""
    program = tool("prometheus", "Debian's prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    config = load("prometheus/prometheus.yml")
    config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
    config["rule_files"] = [str(DEPLOY / "prometheus" / "rules.yml")]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [rest]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        program,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={address}",
    ]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, stderr=log, env={**os.environ, "GOMAXPROCS": "1"})
    try:
        _wait_until_ready(f"http://{address}/-/ready")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(10)
        log.close()
        print(Path(log.name).read_text(encoding="utf-8"))


def _wait_until_ready(page: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):  # it does not listen yet
            if httpx.get(page).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"{page} was not 200 within 20 s")


def _query(prometheus: str, expression: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": expression}).json()
    assert answer["status"] == "success", (expression, answer)
    return answer["data"]["result"]


def _wait_for(prometheus: str, expression: str) -> float:
    """The value of `expression`, once it has one above 0."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        result = _query(prometheus, expression)
        if result and float(result[0]["value"][1]) > 0:
            return float(result[0]["value"][1])
        time.sleep(0.2)
    raise AssertionError(f"{expression} had no value above 0 within 20 s")


def test_prometheus_scrapes_the_server_and_the_dashboard_has_numbers(rest, prometheus):
    assert _wait_for(prometheus, 'up{job="tensorflow_serving"}') == 1
    # Rates need a series to be there before it grows.
    assert _ask(rest, [[1, 2]]).json() == {"predictions": [[2.0, 4.0]]}
    assert _ask(rest, [["text", 2]]).status_code == 400
    count = '{__name__=":tensorflow:serving:request_count", model_name="vae", status="OK"}'
    before = _answered(rest)
    _wait_for(prometheus, f"{count} == {before}")
    for _ in range(9):
        assert _ask(rest, [[1, 2], [3, 4], [5, 6]]).status_code == 200
    _wait_for(prometheus, f"{count} == {before + 9}")

    assert _wait_for(prometheus, 'model_status:tf_serving_requests:rate5m{status="OK"}') > 0
    ratio = _query(prometheus, 'model:tf_serving_server_errors:ratio_rate5m{model_name="vae"}')
    assert [float(r["value"][1]) for r in ratio] == [0]
    latency = "model_entrypoint:tf_serving_request_latency_seconds:p99_rate5m"
    assert 0 < _wait_for(prometheus, latency) < 10
    # No warm-up file and no refusal for want of room: these two panels are empty here.
    empty = ("model_warmup_latency", 'status="UNAVAILABLE"')
    for expression in dashboard_expressions():
        assert bool(_query(prometheus, expression)) is not any(e in expression for e in empty), (
            expression
        )
    rows = _query(prometheus, '{__name__=":tensorflow:serving:batching_session:padding_size_sum"}')
    assert sum(float(r["value"][1]) for r in rows) >= 9  # three rows are padded to four


def test_no_alert_fires_on_a_healthy_server(rest, prometheus):
    _wait_for(prometheus, 'up{job="tensorflow_serving"}')
    end = time.monotonic() + 20
    while True:
        groups = httpx.get(f"{prometheus}/api/v1/rules").json()["data"]["groups"]
        states = {r["name"]: (r["health"], r.get("state")) for g in groups for r in g["rules"]}
        assert len(states) == len(rules())
        assert "firing" not in {state for _, state in states.values()}
        # Before the first scrape a rule may have seen no server, or no value.
        if set(states.values()) <= {("ok", "inactive"), ("ok", None)}:
            return
        assert time.monotonic() < end, states
        time.sleep(0.2)
