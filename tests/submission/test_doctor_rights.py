"""What doctor and preflight look at with the rights that the manifests give: the queue and the claim. The rest of what
they ask for is of the whole cluster, or a secret: told as not checked, and no failure.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from stub_kubeflow import StubKubeflow
from test_doctor_command import doctor, failures, prepare
from test_preflight_in_a_pod import account, judged, server  # noqa: F401  fixtures
from test_rights import ALLOWED, DOCTORS, PATH, asked

from hexad.platform.rights import rights


@pytest.fixture(autouse=True)
def surroundings(
    stub: StubKubeflow, kubeconfig: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepare(stub, kubeconfig, monkeypatch, tmp_path)


def namespaced(stub: StubKubeflow) -> set[tuple[str, str, str]]:
    return {asked(seen) for seen in stub.seen if PATH.fullmatch(seen.path)}


def test_of_the_namespace_doctor_asks_for_what_a_submitter_may_and_for_secrets(stub: StubKubeflow) -> None:
    assert doctor().exit_code == 0
    assert namespaced(stub) & ALLOWED == DOCTORS
    assert namespaced(stub) - ALLOWED == {("get", "", "secrets")}


def test_with_a_submitter_s_rights_a_cluster_that_is_ready_passes(stub: StubKubeflow) -> None:
    stub.forbidden |= {"secrets", "nodes", "clusterqueues"}
    done = doctor()
    assert (done.exit_code, failures(done)) == (0, [])
    assert "claim hexad-cache" in done.stdout
    assert "queue hexad" in done.stdout


def test_preflight_in_a_pod_sees_the_queue_with_a_run_s_rights(server: StubKubeflow, account: Path) -> None:  # noqa: F811
    server.forbidden |= {"secrets"}
    found = {finding.check: finding for finding in judged(server, account)}
    mine = {(right.verb, right.group, right.resource) for right in rights() if right.account == "hexad-pipeline"}
    assert namespaced(server) - mine == set()
    assert ("get", "kueue.x-k8s.io", "localqueues") in namespaced(server)
    assert found["queue gpu"].judged
    assert not found["secret pull"].judged
