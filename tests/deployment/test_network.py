"""Network policies, judged by a model of how Kubernetes applies them: who reaches whom, and nobody else does."""

import json
from pathlib import Path
from typing import Any

import pytest

from hexad.deployment.cluster.network import network_policies
from hexad.deployment.cluster.plan import Plan

from .plans import CLUSTERS, plan
from .policy_model import Party, allowed

CASES = [json.loads(line) for line in Path(__file__).with_name("connections.jsonl").read_text().splitlines()]


def party(found: Plan, name: str) -> Party:
    """`engine`, `gateway` or `verifier` of the bundle, `old.…` of another one, `namespace/…`, or an address."""
    if name.startswith("namespace/"):
        return Party(name.removeprefix("namespace/"), {"app": "any"})
    if name[0].isdigit():
        return Party(address=name)
    bundle, _, component = name.rpartition(".")
    labels = found.metadata(component)["labels"]
    return Party(found.site.namespace, labels | ({"hexad.dev/bundle": bundle} if bundle else {}))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['on']}: {case['from']} to {case['to']}:{case['port']}")
def test_connections(case: dict[str, Any]) -> None:
    found = plan(case["on"])
    ends = party(found, case["from"]), party(found, case["to"])
    assert allowed(network_policies(found), *ends, case["port"], case.get("protocol", "TCP")) is case["allowed"]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_pod_that_no_policy_was_written_for_reaches_nobody(cluster: str) -> None:
    found = plan(cluster)
    stray, gateway = party(found, "stray"), party(found, "gateway")
    for other, port in ((gateway, 8080), (Party(address="203.0.113.7"), 443), (Party("kube-system"), 53)):
        assert not allowed(network_policies(found), stray, other, port)
        assert not allowed(network_policies(found), other, stray, port)


def test_a_gateway_without_named_clients_lets_only_prometheus_in() -> None:
    found = plan("gke", clients=[], client_cidrs=[])
    policies, gateway = network_policies(found), party(found, "gateway")
    assert not allowed(policies, party(found, "namespace/kubeflow"), gateway, 8080)
    assert allowed(policies, party(found, "namespace/monitoring"), gateway, 8080)


def test_a_gateway_that_writes_audit_rows_reaches_the_store() -> None:
    for options, reaches in (({}, False), ({"audit_store": "s3://hexad/audit"}, True)):
        found = plan("kind", gateway_options=options)
        store = party(found, "namespace/minio")
        assert allowed(network_policies(found), party(found, "gateway"), store, 9000) is reaches
