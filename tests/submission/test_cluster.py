"""Pods, logs and clearing up through a real kubernetes client, against the stub."""

from collections.abc import Callable
from pathlib import Path

import pytest
from stub_kubeflow import StubKubeflow

from hexad.pipelines.cluster_needs import KSERVE
from hexad.stage.context import RUN_LABEL
from hexad.submission.cluster import STARTED, Cluster, ClusterError, api_client, connect

PODS = "/api/v1/namespaces/team/pods"
NODE = "workflows.argoproj.io/node-name"


@pytest.fixture
def cluster(stub: StubKubeflow, kubeconfig: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig()))
    found = connect("team")
    assert found is not None
    for name, run, path in (
        ("sft-a", "r1", "w.root.sft.executor"),
        ("sft-driver-a", "r1", "w.root.sft-driver"),
        ("rlvr-a", "r1", "w.root.rlvr.executor"),
        ("sft-b", "r2", "w.root.sft.executor"),
    ):
        stub.add(f"{PODS}/{name}", {"pipeline/runid": run}, annotations={NODE: path}, log=f"{name} one\n{name} two\n")
    return found


def test_pods_are_those_of_the_run(cluster: Cluster) -> None:
    assert [p["metadata"]["name"] for p in cluster.pods("r1")] == ["sft-a", "sft-driver-a", "rlvr-a"]


def test_a_log_is_the_end_of_the_stages_own_pods(cluster: Cluster) -> None:
    assert cluster.log_tail("r1", "sft", 1) == {"sft-a": "sft-a two"}
    assert cluster.log_tail("r1", "verifier", 1) == {}


def test_a_pod_that_has_not_started_hides_no_other_pods_log(cluster: Cluster, stub: StubKubeflow) -> None:
    stub.add(f"{PODS}/sft-c", {"pipeline/runid": "r1"}, annotations={NODE: "w.root.sft.executor"})
    assert cluster.log_tail("r1", "sft", 1) == {"sft-a": "sft-a two", "sft-c": ""}


def test_stopping_deletes_what_the_run_started_and_nothing_else(cluster: Cluster, stub: StubKubeflow) -> None:
    stub.kinds.add("trainjobs")
    jobs = "/apis/trainer.kubeflow.org/v1alpha1/namespaces/team/trainjobs"
    stub.add(f"{jobs}/sft-1", {RUN_LABEL: "r1"})
    stub.add(f"{jobs}/sft-2", {RUN_LABEL: "r2"})
    stub.add("/apis/apps/v1/namespaces/team/deployments/engine-1", {RUN_LABEL: "r1"})
    stub.add("/api/v1/namespaces/team/services/engine-1", {RUN_LABEL: "r1"})
    stub.add("/api/v1/namespaces/team/services/hexad", {})
    before = set(stub.objects)
    deleted, failed = cluster.delete_started("r1")
    assert deleted == ["trainjobs/sft-1", "deployments/engine-1", "services/engine-1"]
    assert failed == []
    assert {path.rpartition("/")[2] for path in before - set(stub.objects)} == {"sft-1", "engine-1"}


def test_kinds_that_are_not_installed_have_nothing_to_delete(cluster: Cluster) -> None:
    assert cluster.delete_started("r1") == ([], [])


def test_kserve_s_objects_are_sought_in_the_versions_that_manifests_write() -> None:
    sought = {kind.plural: kind.version for kind in STARTED if kind.group == "serving.kserve.io"}
    assert sought == {plural: version for version, plural in KSERVE.values()}


def test_rights_that_are_missing_are_told_and_the_rest_is_deleted(cluster: Cluster, stub: StubKubeflow) -> None:
    stub.forbidden.add("trainjobs")
    stub.add("/apis/apps/v1/namespaces/team/deployments/engine-1", {RUN_LABEL: "r1"})
    deleted, failed = cluster.delete_started("r1")
    assert deleted == ["deployments/engine-1"]
    assert failed[0].startswith("Kubernetes: GET /apis/trainer.kubeflow.org/v1alpha1/namespaces/team/trainjobs: 403")
    assert "ask for the rights" in failed[0]


def test_pods_that_may_not_be_listed_are_an_error(cluster: Cluster, stub: StubKubeflow) -> None:
    stub.forbidden.add("pods")
    with pytest.raises(ClusterError, match="403"):
        cluster.pods("r1")


@pytest.fixture
def inside_a_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of the API server that this pod would ask by itself."""
    for name, text in (("token", "of-the-pod"), ("ca.crt", "none")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr("kubernetes.config.incluster_config.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr("kubernetes.config.incluster_config.SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return "https://10.0.0.1:443"


def test_a_named_context_is_meant_also_in_a_pod(
    stub: StubKubeflow, kubeconfig: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, inside_a_pod: str
) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig()))
    assert [api.configuration.host for api in (api_client(), api_client("stub")) if api] == [inside_a_pod, stub.host]


def test_without_a_kubeconfig_there_is_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = str(tmp_path / "none")
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", missing)
    assert connect("team") is None
