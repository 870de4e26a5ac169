"""Pod Security "restricted": every control of the published standard is found, in every kind of container."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.deployment.pod_security import WORKLOADS, restricted_violations

HARDENED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CASES = [json.loads(line) for line in Path(__file__).with_name("pod_security.jsonl").read_text().splitlines()]


def pod(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "x", "securityContext": copy.deepcopy(HARDENED)}]
    return {"kind": "Pod", "metadata": {"name": "test"}, "spec": {"containers": containers, **spec}}


def put(value: Any, path: list[str | int], new: object) -> None:
    for key in path[:-1]:
        value = value[key] if isinstance(key, int) else value.setdefault(key, {})
    if new is None:
        del value[path[-1]]
    else:
        value[path[-1]] = new


def test_a_hardened_pod_has_no_violation() -> None:
    assert restricted_violations(pod()) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_one_change_is_one_finding(case: dict[str, Any]) -> None:
    made = pod()
    put(made, case["path"], case["value"])
    found = restricted_violations(made)
    if case["finds"] is None:
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith("Pod/test: ")
        assert case["finds"] in found[0]


@pytest.mark.parametrize("field", ["initContainers", "ephemeralContainers"])
def test_no_container_is_overlooked(field: str) -> None:
    found = restricted_violations(pod(**{field: [{"name": "other", "image": "x"}]}))
    assert len(found) == 4
    assert all(f"{field}[other]" in line for line in found)


def test_a_container_inherits_from_its_pod() -> None:
    made = pod(securityContext={"runAsNonRoot": True, "seccompProfile": {"type": "Localhost"}})
    for key in ("runAsNonRoot", "seccompProfile"):
        del made["spec"]["containers"][0]["securityContext"][key]
    assert restricted_violations(made) == []


@pytest.mark.parametrize("kind", WORKLOADS)
def test_the_pod_is_found_in_every_kind_of_workload(kind: str) -> None:
    made: dict[str, Any] = {"kind": kind, "metadata": {"name": "test"}}
    put(made, list(WORKLOADS[kind]), pod()["spec"])
    assert restricted_violations(made) == []
    put(made, [*WORKLOADS[kind], "hostPID"], True)
    assert restricted_violations(made) == [f"{kind}/test: hostPID is true; remove it"]


def test_objects_without_pods_have_no_violation() -> None:
    assert restricted_violations({"kind": "Service", "metadata": {"name": "test"}, "spec": {}}) == []


def test_an_annotation_can_switch_apparmor_off() -> None:
    made = pod()
    made["metadata"]["annotations"] = {"container.apparmor.security.beta.kubernetes.io/main": "unconfined"}
    assert "apparmor" in restricted_violations(made)[0]


@given(
    st.dictionaries(st.sampled_from(["hostPath", "nfs", "iscsi", "emptyDir", "secret", "csi"]), st.just({}), min_size=1)
)
def test_a_volume_is_found_exactly_when_a_kind_of_it_is_not_allowed(kinds: dict[str, Any]) -> None:
    found = restricted_violations(pod(volumes=[{"name": "v", **kinds}]))
    assert len(found) == len({"hostPath", "nfs", "iscsi"} & set(kinds))
