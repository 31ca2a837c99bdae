"""compose.yaml: by a compose program where there is one, and how its parts fit together."""

import re
import subprocess

import pytest

from tests.serving.deploy.paths import DEPLOY, ROOT, load, tool


@pytest.fixture
def services():
    return load("compose.yaml")["services"]


@pytest.mark.parametrize("files", [["compose.yaml"], ["compose.yaml", "compose.gpu.yaml"]])
def test_compose_accepts_it(files):
    command = [tool("docker-compose", "Debian's docker-compose")]
    for file in files:
        command += ["-f", str(DEPLOY / file)]
    run = subprocess.run([*command, "config"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert ("nvidia" in run.stdout) is (len(files) == 2)


def test_only_this_machine_is_let_in_and_images_are_pinned(services):
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert re.search(r":(cpu|v?\d+\.\d+\.\d+)$", service["image"])
        assert service["cap_drop"] == ["ALL"]


def test_server_is_built_here_and_sees_new_versions(services):
    server = services["server"]
    assert (DEPLOY / server["build"]["context"]).resolve() == ROOT
    assert server["build"]["target"] == "cpu"
    assert load("compose.gpu.yaml")["services"]["server"]["build"]["target"] == "gpu"
    # The parent of the model's folder: a mount of the folder itself would miss that it is replaced.
    assert server["volumes"] == ["${MODELS:-../../models}:/models:ro"]


def _mounts(service: dict) -> dict[str, str]:
    return {target: source for source, target, *_ in (v.split(":") for v in service["volumes"])}


def test_what_is_mounted_exists_and_is_where_it_is_read(services):
    prometheus, grafana = _mounts(services["prometheus"]), _mounts(services["grafana"])
    assert (DEPLOY / prometheus["/etc/prometheus"] / "prometheus.yml").is_file()
    assert "--config.file=/etc/prometheus/prometheus.yml" in services["prometheus"]["command"]
    (provider,) = load("grafana/provisioning/dashboards/vae.yaml")["providers"]
    dashboards = DEPLOY / grafana[provider["options"]["path"]]
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (dashboards / home.removeprefix(provider["options"]["path"] + "/")).is_file()
    provisioning = DEPLOY / grafana["/etc/grafana/provisioning"]
    assert {p.name for p in provisioning.iterdir()} == {"dashboards", "datasources"}
    named = {s for m in (prometheus, grafana) for s in m.values() if not s.startswith(".")}
    assert named == set(load("compose.yaml")["volumes"])


def test_services_find_each_other(services):
    (job,) = load("prometheus/prometheus.yml")["scrape_configs"]
    ((target,),) = [config["targets"] for config in job["static_configs"]]
    host, port = target.split(":")
    assert f"127.0.0.1:{port}:{port}" in services[host]["ports"]
    (source,) = load("grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    host, port = source["url"].removeprefix("http://").split(":")
    assert f"127.0.0.1:{port}:{port}" in services[host]["ports"]
