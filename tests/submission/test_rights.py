"""What the commands ask Kubeflow and Kubernetes for is what the account `hexad-submitter` may do, and all of it.

kubeflow_rights.jsonl: the right that a multi-user Kubeflow wants for each request of its API; versions count as
pipelines (backend/src/apiserver/server in https://github.com/kubeflow/pipelines).
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from stub_kubeflow import V2, Seen, StubKubeflow
from test_commands import NODE, PODS, hexad, moment, prepare, submit, task

from hexad.platform.rights import rights
from hexad.stage.context import RUN_LABEL
from hexad.submission.cluster import STARTED

Asked = tuple[str, str, str]
"""Verb, group, resource."""

KUBEFLOW = [json.loads(line) for line in Path(__file__).with_name("kubeflow_rights.jsonl").read_text().splitlines()]
PATH = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/\w+/namespaces/[^/]+/(?P<plural>\w+)(?:/[^/]+(?P<sub>/\w+)?)?")
DOCTORS = {("get", "kueue.x-k8s.io", "localqueues"), ("get", "", "persistentvolumeclaims")}
ALLOWED = {(right.verb, right.group, right.resource) for right in rights() if right.account == "hexad-submitter"}


@pytest.fixture(autouse=True)
def surroundings(
    stub: StubKubeflow, kubeconfig: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepare(stub, kubeconfig, monkeypatch, tmp_path)


def asked(seen: Seen) -> Asked:
    if seen.path.startswith(V2):
        path = seen.path.removeprefix(V2)
        (found,) = (r for r in KUBEFLOW if r["method"] == seen.method and re.fullmatch(r["path"], path))
        return found["verb"], "pipelines.kubeflow.org", found["resource"]
    parts = PATH.fullmatch(seen.path)
    assert parts is not None, seen.path
    named = "/" in seen.path.partition(f"/{parts['plural']}")[2]
    verb = {"GET": "get" if named else "list", "DELETE": "delete"}[seen.method]
    return verb, parts["group"] or "", parts["plural"] + (parts["sub"] or "")


def test_every_command_together_asks_for_all_rights_of_the_submitter_and_no_other(stub: StubKubeflow) -> None:
    stub.kinds |= {kind.plural for kind in STARTED}
    for kind in STARTED:
        root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        stub.add(f"{root}/namespaces/kubeflow/{kind.plural}/of-run-0", {RUN_LABEL: "run-0"})
    stub.add(f"{PODS}/sft-a", {"pipeline/runid": "run-0"}, annotations={NODE: "w.root.sft.executor"}, log="one\n")
    stub.stories.append([moment("RUNNING", task("sft", "RUNNING")), moment("FAILED", task("sft", "FAILED"))])
    submit("--watch")
    for command in (
        ["runs"], ["runs", "run-0"], ["logs", "run-0"], ["retry", "run-0", "--from", "sft"], ["stop", "run-1"],
        ["stop", "run-0"], ["schedule", "recipe.yaml", "--profile", "kind", "--cron", "0 0 3 * * 1"],
        ["stop", "schedule-0"],
    ):  # fmt: skip
        assert hexad(*command).exit_code == 0, command
    assert {asked(seen) for seen in stub.seen} == ALLOWED - DOCTORS


def test_runs_schedules_and_retries_run_as_the_profile_s_service_account(stub: StubKubeflow) -> None:
    submit()
    hexad("retry", "run-0")
    hexad("schedule", "recipe.yaml", "--profile", "kind", "--cron", "0 0 3 * * 1")
    made = [*stub.runs.values(), *stub.schedules.values()]
    assert [found["service_account"] for found in made] == ["hexad-pipeline"] * 3


def test_a_request_that_needs_a_right_nobody_has_is_seen() -> None:
    evicted = Seen("DELETE", "/api/v1/namespaces/team/pods/sft-a", {}, {}, None)
    assert asked(evicted) not in ALLOWED
