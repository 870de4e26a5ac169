"""Alerts and dashboard: every query is PromQL, and names only metrics and labels that gateway and vLLM export."""

import ast
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from hexad.gateway.slots import Slots
from hexad.gateway.telemetry.metrics import Metrics
from hexad.platform.monitoring import Panel, alerts, dashboard, monitoring_objects, panels

from .test_run_objects import profile

TARGET_LABELS = {"namespace", "service", "pod"}
"""What the Prometheus operator adds to every series of a ServiceMonitor."""

SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
VLLM_METRICS = ("v1/metrics/loggers.py", "v1/spec_decode/metrics.py")
QUERIES = [(a.alert, a.expr) for a in alerts()] + [
    (f"{p.title}: {legend}", expr) for p in panels() for legend, expr in p.queries.items()
]


def gateway_series() -> dict[str, set[str]]:
    """Series name to the labels that the gateway's own registry gives it."""
    metrics = Metrics(Slots(1, 1))
    made: dict[str, set[str]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            for suffix in SUFFIXES[metric._type]:
                labels = set(metric._labelnames) | ({"le"} if suffix == "_bucket" else set())
                made[metric._name + suffix] = labels
    registry: CollectorRegistry = metrics._registry
    gauges = {family.name: set() for family in registry.collect() if family.type == "gauge"}
    return made | gauges


@cache
def vllm_series() -> frozenset[str]:
    """Series of vLLM, read from its source, where a metric's class stands beside its name: an import takes long."""
    spec = find_spec("vllm")
    assert spec is not None
    assert spec.origin is not None
    found: set[str] = set()
    for file in VLLM_METRICS:
        tree = ast.parse((Path(spec.origin).parent / file).read_text())
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        kinds = {kind for call in calls for kind in [_kind(call)] if kind}
        for call in (call for call in calls if _kind(call)):
            found |= {name + suffix for name in _names(call) for suffix in SUFFIXES[_kind(call)]}
        if kinds == {"counter"}:
            # Some of their names come from a list.
            found |= {name + "_total" for name in _names(tree)}
    return frozenset(found)


def _kind(call: ast.Call) -> str:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    kind = function.removeprefix("_").removesuffix("_cls")
    return kind if function.endswith("_cls") and kind in SUFFIXES else ""


def _names(node: ast.AST) -> set[str]:
    constants = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return {name for name in constants if name.startswith("vllm:")}


def selectors(expr: str) -> list[tuple[str, set[str]]]:
    """Series and the labels asked of them, for each selector of a query."""
    found: list[tuple[str, set[str]]] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append((str(node.name), {m.name for m in node.matchers.matchers}))
        return True

    promql_parser.walk(promql_parser.parse(expr), visit)
    return found


def grouped(expr: str) -> set[str]:
    """Labels that a query groups by."""
    found: set[str] = set()

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            found.update(node.modifier.labels)
        return True

    promql_parser.walk(promql_parser.parse(expr), visit)
    return found


@pytest.mark.parametrize(("where", "expr"), QUERIES, ids=[where for where, _ in QUERIES])
def test_a_query_names_only_series_and_labels_that_are_exported(where: str, expr: str) -> None:
    gateway = gateway_series()
    found = selectors(expr)
    assert found
    for series, labels in found:
        assert series in gateway or series in vllm_series(), series
        assert labels - TARGET_LABELS <= gateway.get(series, set()), series
    known = set().union(*(gateway.get(series, {"position"}) for series, _ in found))
    assert grouped(expr) - TARGET_LABELS <= known | {"le"}


@pytest.mark.parametrize("wrong", ["hexad_request_total", "vllm:num_requests_runing", "up", "hexad_requests"])
def test_a_series_that_nobody_exports_is_seen(wrong: str) -> None:
    assert wrong not in gateway_series()
    assert wrong not in vllm_series()


def test_the_position_of_an_accepted_token_is_a_label_of_vllm_s() -> None:
    spec = find_spec("vllm")
    assert spec is not None
    text = (Path(str(spec.origin)).parent / VLLM_METRICS[1]).read_text()
    assert '["position"]' in text


def test_every_metric_of_the_gateway_is_on_the_dashboard_or_in_an_alert() -> None:
    shown = {series for _, expr in QUERIES for series, _ in selectors(expr)}
    shown = {s.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for s in shown}
    exported = {s.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for s in gateway_series()}
    assert exported - shown == set()


def test_panels_lie_beside_and_below_each_other_without_overlap() -> None:
    made = dashboard(panels())["panels"]
    cells = [
        (x, y)
        for p in made
        for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"])
        for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert [p["id"] for p in made] == list(range(1, len(made) + 1))


def test_a_row_s_title_stands_above_its_panels() -> None:
    rows = [Panel(row=row, title="t", unit="s", queries={"": "hexad_waiting"}) for row in ("a", "a", "b")]
    assert [p["title"] for p in dashboard(rows)["panels"]] == ["a", "t", "t", "b", "t"]


def test_the_rule_carries_the_label_by_which_the_operator_selects() -> None:
    rule, config = monitoring_objects(profile("gke"))
    assert rule["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(config["data"]["hexad.json"])["title"] == "Hexad"
    names = [found["alert"] for found in rule["spec"]["groups"][0]["rules"]]
    assert len(set(names)) == len(names) == len(alerts())
