"""Preflight as a task of a run: it looks with its pod's service account, over HTTPS, and never fails for not being
allowed to."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_kubeflow import TOKEN, StubKubeflow, serving
from tests.own_certificate import serving_with

from hexad.preflight.checks import Finding
from hexad.preflight.cluster import in_pod
from hexad.preflight.cluster.needs import ClusterNeeds
from hexad.preflight.job import NotReady, main
from hexad.stage.artifact import Settings
from hexad.stage.context import Context

NEEDS = {
    "profile": "test", "queue": "gpu",
    "secrets": [{"place": "tasks.pull_secrets", "name": "pull", "keys": [".dockerconfigjson"]}],
}  # fmt: skip
TEAM = "/api/v1/namespaces/team"


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """A service account's folder, as Kubernetes mounts it; `server` adds the certificate."""
    folder = tmp_path / "account"
    folder.mkdir()
    (folder / "token").write_text(f"{TOKEN}\n")
    (folder / "namespace").write_text("team")
    return folder


@pytest.fixture
def server(account: Path) -> Iterator[StubKubeflow]:
    with serving(StubKubeflow(token=TOKEN), tls=serving_with(account / "ca.crt")) as running:
        running.objects["/version"] = {"gitVersion": "v1.34.1"}
        running.objects[TEAM] = {"metadata": {}}
        running.objects[f"{TEAM}/secrets/pull"] = {"type": "Opaque", "data": {".dockerconfigjson": "e30="}}
        running.objects["/apis/kueue.x-k8s.io"] = {"preferredVersion": {"version": "v1beta1"}}
        running.objects["/apis/kueue.x-k8s.io/v1beta1/namespaces/team/localqueues/gpu"] = {
            "spec": {"clusterQueue": "all"}, "status": {"conditions": [{"type": "Active", "status": "True"}]},
        }  # fmt: skip
        yield running


def environment(server: StubKubeflow) -> dict[str, str]:
    host, _, port = server.host.removeprefix("https://").partition(":")
    return {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}


def judged(server: StubKubeflow, account: Path) -> list[Finding]:
    return in_pod.judged_from_inside(ClusterNeeds.model_validate(NEEDS), environment(server), account)


def test_a_pod_looks_with_its_own_account_in_its_own_namespace(server: StubKubeflow, account: Path) -> None:
    found = judged(server, account)
    assert [f.check for f in found if f.mend] == []
    assert {"API server", "namespace team", "secret pull", "queue gpu"} <= {f.check for f in found}
    assert {seen.headers["Authorization"] for seen in server.seen} == {f"Bearer {TOKEN}"}


def test_what_is_missing_fails_the_run_with_its_mend(
    server: StubKubeflow, account: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del server.objects[f"{TEAM}/secrets/pull"]
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(in_pod, "ACCOUNT", account)
    config = {"min_free_disk_gib": 0, "min_memory_gib": 0, "packages": [], "cluster": NEEDS}
    context = Context(run="test", store=tmp_path.as_uri(), work=str(tmp_path)).model_dump()
    settings = Settings.model_validate({"config": config, "context": context}).model_dump_json()
    with pytest.raises(NotReady, match="secret pull: missing: make it in namespace team"):
        main(settings, str(tmp_path / "card.md"))
    assert "| queue gpu | active" in (tmp_path / "card.md").read_text()


def test_rights_that_are_missing_fail_no_run(server: StubKubeflow, account: Path) -> None:
    server.forbidden |= {"secrets", "localqueues", "namespaces"}
    found = judged(server, account)
    assert [f.line for f in found if f.mend] == []
    assert {f.check for f in found if not f.judged} == {"namespace team", "secret pull", "queue gpu"}


def test_a_token_that_nobody_knows_fails_no_run(server: StubKubeflow, account: Path) -> None:
    server.token = "another"
    (found,) = judged(server, account)
    assert (found.check, found.judged) == ("cluster", False)


def test_a_network_that_leads_nowhere_fails_no_run(server: StubKubeflow, account: Path) -> None:
    nowhere = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}
    (found,) = in_pod.judged_from_inside(ClusterNeeds.model_validate(NEEDS), nowhere, account)
    assert not found.judged
    assert found.found.startswith("no answer from https://127.0.0.1:1")


def test_a_server_with_another_certificate_is_not_believed(server: StubKubeflow, account: Path) -> None:
    serving_with(account / "ca.crt")
    (found,) = judged(server, account)
    assert (found.judged, "SSLError" in found.found) == (False, True)
    assert server.seen == []


def test_a_task_outside_a_cluster_is_not_judged(account: Path) -> None:
    (found,) = in_pod.judged_from_inside(ClusterNeeds.model_validate(NEEDS), {}, account)
    assert json.loads(found.model_dump_json())["judged"] is False
