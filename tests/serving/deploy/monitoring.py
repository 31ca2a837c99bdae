"""Every PromQL expression of the deployment, and the names that a server exports."""

import json
from collections.abc import Iterator

import promql_parser

from tests.serving.deploy.paths import DEPLOY, load
from vae_tf_serving.metrics import Metrics

_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}


def dashboard() -> dict:
    """Grafana's dashboard."""
    return json.loads((DEPLOY / "grafana/dashboards/vae.json").read_text(encoding="utf-8"))


def dashboard_expressions() -> list[str]:
    """The queries of its panels, with Grafana's variables filled in."""
    queries = [t["expr"] for panel in dashboard()["panels"] for t in panel.get("targets", [])]
    return [q.replace("$__rate_interval", "1m").replace("$model", ".*") for q in queries]


def rules() -> list[dict]:
    """The recording and alerting rules."""
    return [rule for group in load("prometheus/rules.yml")["groups"] for rule in group["rules"]]


def selected_names(expression: str) -> Iterator[str]:
    """The metric of each selector."""
    selectors = []

    def visit(node: object) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(node)

    promql_parser.walk(promql_parser.parse(expression), visit)
    for selector in selectors:
        exact = [m.value for m in selector.matchers.matchers if m.name == "__name__"]
        yield selector.name or exact[0]


def exported_names() -> set[str]:
    """The series of the metrics page, from its TYPE lines."""
    names = set()
    for line in Metrics().page().decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            names |= {name + suffix for suffix in _SUFFIXES.get(kind, ("",))}
    return names
