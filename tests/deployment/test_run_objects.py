"""What runs of a pipeline get on a cluster: limits, connections, Kubeflow's settings, a runtime for training."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hexad.cli.inputs import profile_from
from hexad.deployment.cluster.network import network_policies
from hexad.pipelines.profile import Profile
from hexad.platform.labels import namespace
from hexad.platform.limits import accelerators
from hexad.platform.objects import run_images, run_objects
from hexad.platform.policies import RUN_LABELS, policy_objects
from hexad.platform.secrets import run_secrets
from hexad.platform.training import TRAINING_LABELS

from .plans import CLUSTERS, ROOT, plan
from .policy_model import Party, allowed
from .schemas import runtime_pods
from .test_network import party

CONNECTIONS = [json.loads(line) for line in Path(__file__).with_name("run_connections.jsonl").read_text().splitlines()]


def profile(name: str, **changes: Any) -> Profile:
    found = profile_from(str(ROOT / "profiles" / f"{name}.yaml"))
    return Profile.model_validate(found.model_dump() | changes)


def one(found: Profile, kind: str, name: str = "") -> dict[str, Any]:
    (made,) = (made for made in run_objects(found) if made["kind"] == kind and name in ("", made["metadata"]["name"]))
    return made


@pytest.mark.parametrize("case", CONNECTIONS, ids=lambda c: f"{c['on']}: {c['from']} to {c['to']}:{c['port']}")
def test_connections_of_runs(case: dict[str, Any]) -> None:
    endpoint, found = plan(case["on"]), profile(case["on"])
    pods = {"run": RUN_LABELS, "training": TRAINING_LABELS}
    ends = [
        Party(namespace(found), pods[name]) if name in pods else party(endpoint, name)
        for name in (case["from"], case["to"])
    ]
    policies = [*network_policies(endpoint), *policy_objects(found)]
    assert allowed(policies, *ends, case["port"], case.get("protocol", "TCP")) is case["allowed"]


@pytest.mark.parametrize(("ours", "port", "reached"), [(False, 8333, True), (False, 9000, True), (True, 8333, False)])
def test_kubeflow_s_own_store_is_reached_where_its_artifacts_stay_there(ours: bool, port: int, reached: bool) -> None:
    found = profile("kind") if ours else profile("kind", artifacts=None)
    run, kubeflow = Party("hexad", RUN_LABELS), Party("kubeflow", {"app": "seaweedfs"})
    assert allowed(policy_objects(found), run, kubeflow, port) is reached


@pytest.mark.parametrize(
    ("changes", "secrets"),
    [
        ({}, ["hexad-store"]),
        # backend/src/v2/config/env.go in https://github.com/kubeflow/pipelines: keys of the store it comes with.
        ({"artifacts": None}, ["mlpipeline-minio-artifact"]),
        ({"store_secret": ""}, []),
    ],
    ids=["our store", "Kubeflow's store", "the pod's identity"],
)
def test_a_run_may_read_the_secret_of_the_store_that_its_artifacts_go_to(
    changes: dict[str, Any], secrets: list[str]
) -> None:
    rules = one(profile("kind", **changes), "Role", "hexad-pipeline")["rules"]
    assert [name for rule in rules if "secrets" in rule["resources"] for name in rule["resourceNames"]] == secrets


def test_the_api_server_s_addresses_can_be_narrowed() -> None:
    tasks = profile("kind").tasks.model_dump() | {"api_server_cidrs": ["203.0.113.9/32"]}
    policies, run = policy_objects(profile("kind", tasks=tasks)), Party("hexad", RUN_LABELS)
    assert allowed(policies, run, Party(address="203.0.113.9"), 443)
    assert not allowed(policies, run, Party(address="172.18.0.2"), 6443)


@pytest.mark.parametrize(
    ("cluster", "count"),
    # Two runs at their widest (two evaluations of 2 each, or a training of 8), and two bundles of up to four engines.
    [("gke", {"nvidia.com/gpu": 2 * 8 + 2 * 4 * 2}), ("cerebras", {"nvidia.com/gpu": 2 * 8}), ("kind", {})],
)
def test_the_quota_has_room_for_two_runs_and_a_roll_out(cluster: str, count: dict[str, int]) -> None:
    assert accelerators(profile(cluster)) == count
    hard = one(profile(cluster), "ResourceQuota")["spec"]["hard"]
    assert {name.removeprefix("requests."): int(value) for name, value in hard.items() if "gpu" in name} == count


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_nothing_in_the_namespace_can_be_opened_to_the_outside_past_the_quota(cluster: str) -> None:
    hard = one(profile(cluster), "ResourceQuota")["spec"]["hard"]
    assert (hard["services.loadbalancers"], hard["services.nodeports"]) == ("0", "0")


def test_kubeflow_s_artifacts_go_to_the_store_with_the_profile_s_keys() -> None:
    data = one(profile("eks"), "ConfigMap", "kfp-launcher")["data"]
    assert data["defaultPipelineRoot"] == "s3://hexad/pipelines"
    provider = yaml.safe_load(data["providers"])["s3"]["default"]
    assert provider == {
        "endpoint": "https://s3.us-east-1.amazonaws.com", "region": "us-east-1", "disableSSL": False,
        "forcePathStyle": False,
        "credentials": {"fromEnv": False, "secretRef": {
            "secretName": "hexad-store", "accessKeyKey": "access_key", "secretKeyKey": "secret_key"}},
    }  # fmt: skip


def test_without_a_store_secret_the_cloud_s_identity_is_used_and_no_secret_may_be_read() -> None:
    found = profile("eks", store_secret="")
    providers = yaml.safe_load(one(found, "ConfigMap", "kfp-launcher")["data"]["providers"])
    assert providers["s3"]["default"]["credentials"] == {"fromEnv": True}
    assert "secrets" not in json.dumps(one(found, "Role", "hexad-pipeline"))
    assert [made["metadata"]["name"] for made in run_secrets(found)] == ["hexad-registry"]


def test_a_profile_that_says_nothing_of_artifacts_leaves_them_to_kubeflow() -> None:
    kinds = [made["metadata"]["name"] for made in run_objects(profile("kind", artifacts=None))]
    assert "kfp-launcher" not in kinds


def test_the_training_runtime_is_placed_like_the_pipeline_s_training() -> None:
    found = profile("gke")
    (pod,) = runtime_pods(one(found, "ClusterTrainingRuntime"))
    wanted = found.placement["train"]
    assert pod["nodeSelector"] == wanted.node_selector
    assert [taint["key"] for taint in pod["tolerations"]] == [taint.key for taint in wanted.tolerations]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "8"
    shm = next(volume for volume in pod["volumes"] if volume["name"] == "shm")
    assert shm["emptyDir"] == {"medium": "Memory", "sizeLimit": "64Gi"}
    assert run_images(found) == [{"name": "hexad-train", "newName": "hexad/train", "digest": f"sha256:{'0' * 64}"}]


def test_training_pods_have_no_token_and_no_right() -> None:
    found = profile("gke")
    (pod,) = runtime_pods(one(found, "ClusterTrainingRuntime"))
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == one(found, "ServiceAccount", "hexad-training")["metadata"]["name"]
    subjects = [s["name"] for made in run_objects(found) if made["kind"] == "RoleBinding" for s in made["subjects"]]
    assert "hexad-training" not in subjects


def test_a_cluster_without_trainer_or_prometheus_gets_no_object_of_theirs() -> None:
    groups = {made["apiVersion"].partition("/")[0] for made in run_objects(profile("kind"))}
    assert groups == {"v1", "rbac.authorization.k8s.io", "networking.k8s.io"}


def test_a_profile_that_serves_nothing_has_no_namespace_to_put_them_in() -> None:
    with pytest.raises(ValueError, match="profile kind: has no section `endpoint`; add one"):
        run_objects(profile("kind", endpoint=None))
