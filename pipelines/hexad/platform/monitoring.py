"""Alerts for the Prometheus operator and a dashboard for Grafana, of what gateway and vLLM export.

Both are tables, alerts.jsonl and dashboard.jsonl: one alert, one panel a line.
"""

import json
from pathlib import Path
from typing import Literal

from pydantic import Field

from hexad.deployment.cluster.plan import Object
from hexad.pipelines.profile import Profile
from hexad.platform.labels import NAME, metadata
from hexad.records import Record

_FOLDER = Path(__file__).parent
_COLUMNS, _WIDTH, _HEIGHT = 3, 8, 7  # Grafana's grid is 24 wide
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


class Alert(Record):
    """One rule."""

    alert: str = Field(pattern="^Hexad[A-Za-z]+$", description="Name.")
    expr: str = Field(description="PromQL; the alert fires for every series of its result.")
    minutes: int = Field(ge=1, description="Minutes for which it must hold.")
    severity: Literal["warning", "critical"] = Field(description="Critical: clients get errors.")
    summary: str = Field(description="What is wrong.")
    mend: str = Field(description="What to do.")


class Panel(Record):
    """One panel of the dashboard."""

    row: str = Field(description="Row that it lies in.")
    title: str = Field(description="Title.")
    unit: str = Field(description="Grafana's unit, e.g. 's', 'reqps', 'percentunit', 'short'.")
    queries: dict[str, str] = Field(min_length=1, description="Legend to PromQL; $namespace is the dashboard's.")


def alerts() -> list[Alert]:
    return list(map(Alert.model_validate_json, (_FOLDER / "alerts.jsonl").read_text().splitlines()))


def panels() -> list[Panel]:
    return list(map(Panel.model_validate_json, (_FOLDER / "dashboard.jsonl").read_text().splitlines()))


def monitoring_objects(profile: Profile) -> list[Object]:
    """A PrometheusRule and a ConfigMap that Grafana's sidecar loads, where the profile names a Prometheus operator."""
    site = profile.endpoint
    if site is None or site.monitoring is None:
        return []
    common = metadata(profile, NAME, "monitoring")
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": common | {"labels": common["labels"] | site.monitoring.labels},
        "spec": {"groups": [{"name": NAME, "rules": list(map(_rule, alerts()))}]},
    }
    board = metadata(profile, "hexad-dashboard", "monitoring")
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        # The label that the sidecar of Grafana's chart looks for, unless it is told another one.
        "metadata": board | {"labels": board["labels"] | {"grafana_dashboard": "1"}},
        "data": {"hexad.json": json.dumps(dashboard(panels()), indent=1)},
    }
    return [rule, config]


def dashboard(shown: list[Panel]) -> Object:
    """Grafana's JSON: rows in the table's order, three panels beside each other."""
    made: list[Object] = []
    top = 0
    for row in dict.fromkeys(panel.row for panel in shown):
        made.append({"type": "row", "title": row, "collapsed": False, "gridPos": _place(top, 0, 24, 1), "panels": []})
        members = [panel for panel in shown if panel.row == row]
        for i, panel in enumerate(members):
            across, down = i % _COLUMNS, i // _COLUMNS
            made.append(_panel(panel, _place(top + 1 + down * _HEIGHT, across * _WIDTH, _WIDTH, _HEIGHT)))
        top += 1 + -(-len(members) // _COLUMNS) * _HEIGHT
    return {
        "uid": NAME,
        "title": "Hexad",
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_source_variable(), _namespace_variable()]},
        "panels": [panel | {"id": i} for i, panel in enumerate(made, 1)],
    }


def _rule(found: Alert) -> Object:
    return {
        "alert": found.alert,
        "expr": found.expr,
        "for": f"{found.minutes}m",
        "labels": {"severity": found.severity},
        "annotations": {"summary": found.summary, "description": found.mend},
    }


def _panel(found: Panel, place: Object) -> Object:
    return {
        "type": "timeseries",
        "title": found.title,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": found.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + i), "datasource": _SOURCE, "expr": expr, "legendFormat": legend}
            for i, (legend, expr) in enumerate(found.queries.items())
        ],
    }


def _place(top: int, left: int, width: int, height: int) -> Object:
    return {"x": left, "y": top, "w": width, "h": height}


def _source_variable() -> Object:
    return {"name": "datasource", "type": "datasource", "query": "prometheus"}


def _namespace_variable() -> Object:
    return {
        "name": "namespace",
        "type": "query",
        "datasource": _SOURCE,
        "query": "label_values(hexad_in_flight, namespace)",
        "refresh": 2,
    }
