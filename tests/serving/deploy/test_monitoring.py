"""Prometheus' rules and Grafana's dashboard: they parse, and ask for what there is."""

import itertools
import subprocess

import pytest
import yaml

from tests.serving.deploy.monitoring import (
    dashboard,
    dashboard_expressions,
    exported_names,
    rules,
    selected_names,
)
from tests.serving.deploy.paths import DEPLOY, load, tool

PROMETHEUS = DEPLOY / "prometheus"


def _promtool(*arguments: object) -> None:
    command = [tool("promtool", "Debian's prometheus"), *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_promtool_accepts_configuration_and_rules():
    _promtool("check", "config", PROMETHEUS / "prometheus.yml")
    _promtool("check", "rules", PROMETHEUS / "rules.yml")


def test_alerts_fire_for_what_they_name(tmp_path):
    tests = (DEPLOY.parents[1] / "tests/serving/deploy/rules_test.yml").read_text(encoding="utf-8")
    file = tmp_path / "rules_test.yml"
    file.write_text(tests.replace("RULES", str(PROMETHEUS / "rules.yml")), encoding="utf-8")
    _promtool("test", "rules", file)


def test_every_alert_is_tested():
    tests = (DEPLOY.parents[1] / "tests/serving/deploy/rules_test.yml").read_text(encoding="utf-8")
    cases = [case for test in yaml.safe_load(tests)["tests"] for case in test["alert_rule_test"]]
    fired = {case["alertname"] for case in cases if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in rules() if "alert" in rule}


def test_rules_and_dashboard_ask_for_names_that_are_exported():
    exported = exported_names()
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    known = exported | recorded | {"up"}
    asked = [*dashboard_expressions(), *(rule["expr"] for rule in rules())]
    names = {name for expression in asked for name in selected_names(expression)}
    assert names - known == set()
    assert names & exported


@pytest.mark.parametrize(
    "name",
    [
        "request_count",
        "request_latency_bucket",
        "runtime_latency_bucket",
        "batching_session:processed_batch_size_bucket",
        "batching_session:queuing_latency_bucket",
        "model_warmup_latency_sum",
    ],
)
def test_dashboard_shows(name):
    shown = {n for expression in dashboard_expressions() for n in selected_names(expression)}
    assert f":tensorflow:serving:{name}" in shown


def test_promtool_parses_the_queries_of_the_dashboard(tmp_path):
    records = [
        {"record": f"panel:query:{i}", "expr": expression}
        for i, expression in enumerate(dashboard_expressions())
    ]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": records}]}))
    _promtool("check", "rules", file)


def test_panels_have_their_own_place_and_the_provisioned_source():
    (source,) = load("grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert 0 <= place["x"] <= place["x"] + place["w"] <= 24
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == panel["datasource"]["uid"] == source["uid"]
    for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        apart = [
            one[axis] + one[size] <= other[axis] or other[axis] + other[size] <= one[axis]
            for axis, size in (("x", "w"), ("y", "h"))
        ]
        assert any(apart)
