"""An endpoint's objects: two bundles stand side by side, no right is granted for nothing, nothing is killed early."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from hexad.deployment.bundle import BUNDLE_LABEL
from hexad.deployment.cluster.kustomization import dump, image_entry
from hexad.deployment.cluster.objects import endpoint_objects, secret_templates
from hexad.deployment.cluster.plan import Plan
from hexad.gateway.config import GatewayConfig

from .plans import CLUSTERS, plan

POOLS = ["gke", "eks", "aks", "onprem-gpu"]
GOLDEN = Path(__file__).with_name("golden")


def golden_text(cluster: str) -> str:
    """To renew a golden file: `python -m tests.deployment.test_objects`, then read the difference."""
    return "---\n".join(map(dump, endpoint_objects(plan(cluster))))


def another_bundle(found: Plan, digest: str = "1" * 64) -> Plan:
    bundle = found.endpoint.bundle.model_copy(update={"digest": digest})
    endpoint = found.endpoint.model_copy(update={"bundle": bundle})
    return replace(found, endpoint=endpoint)


def one(objects: list[dict[str, Any]], kind: str, end: str = "") -> dict[str, Any]:
    (made,) = (made for made in objects if made["kind"] == kind and made["metadata"]["name"].endswith(end))
    return made


def names(objects: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(made["kind"], made["metadata"]["name"]) for made in objects}


@pytest.mark.parametrize("cluster", [*POOLS, "cerebras"])
def test_objects_are_those_of_the_golden_file(cluster: str) -> None:
    assert golden_text(cluster) == (GOLDEN / f"{cluster}.yaml").read_text()


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_two_bundles_share_the_clients_service_and_nothing_else(cluster: str) -> None:
    old = plan(cluster)
    shared = names(endpoint_objects(old)) & names(endpoint_objects(another_bundle(old)))
    assert shared == {("Service", "hexad")}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_one_label_switches_clients_from_one_bundle_to_another(cluster: str) -> None:
    before, after = (
        one(endpoint_objects(p), "Service", "hexad") for p in (plan(cluster), another_bundle(plan(cluster)))
    )
    before["spec"]["selector"][BUNDLE_LABEL] = "1" * 16
    assert before == after


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_all_that_belongs_to_a_bundle_can_be_found_by_its_label(cluster: str) -> None:
    for made in endpoint_objects(plan(cluster)):
        expected = None if (made["kind"], made["metadata"]["name"]) == ("Service", "hexad") else "0" * 16
        assert made["metadata"]["labels"].get(BUNDLE_LABEL) == expected


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_services_select_pods_that_exist(cluster: str) -> None:
    objects = endpoint_objects(plan(cluster))
    pods = [made["spec"]["template"] for made in objects if made["kind"] == "Deployment"]
    for service in (made for made in objects if made["kind"] == "Service"):
        selected = [pod for pod in pods if service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()]
        assert len(selected) == 1
        open_ports = {port["name"] for c in selected[0]["spec"]["containers"] for port in c["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= open_ports


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_gateway_would_start_with_its_config(cluster: str) -> None:
    settings = json.loads(one(endpoint_objects(plan(cluster)), "ConfigMap")["data"]["gateway.json"])
    config = GatewayConfig.model_validate(settings)
    assert config.max_tokens == 65536
    assert config.grace_s >= config.deadline_s


def test_gateway_options_win_and_are_checked() -> None:
    found = one(endpoint_objects(plan("gke", gateway_options={"queue": 7})), "ConfigMap")
    assert json.loads(found["data"]["gateway.json"])["queue"] == 7
    with pytest.raises(ValidationError, match="que"):
        endpoint_objects(plan("gke", gateway_options={"que": 7}))


def test_another_config_makes_new_gateway_pods() -> None:
    notes = [
        one(endpoint_objects(plan("gke", gateway_options={"queue": n})), "Deployment", "gateway")["spec"]["template"]
        ["metadata"]["annotations"] for n in (7, 7, 8)
    ]  # fmt: skip
    assert notes[0] == notes[1] != notes[2]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_no_pod_gets_a_token_of_the_kubernetes_api(cluster: str) -> None:
    objects = endpoint_objects(plan(cluster))
    accounts = [made for made in objects if made["kind"] == "ServiceAccount"]
    pods = [made["spec"]["template"]["spec"] for made in objects if made["kind"] == "Deployment"]
    assert {pod["serviceAccountName"] for pod in pods} == {account["metadata"]["name"] for account in accounts}
    assert not any(given["automountServiceAccountToken"] for given in [*accounts, *pods])


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_container_that_asks_for_no_accelerator_sees_none(cluster: str) -> None:
    """GPU images name all of them, and NVIDIA's runtime takes that for a wish."""
    pods = [
        made["spec"]["template"]["spec"] for made in endpoint_objects(plan(cluster)) if made["kind"] == "Deployment"
    ]
    for made in (made for pod in pods for made in [*pod["containers"], *pod.get("initContainers", [])]):
        seen = {variable["name"]: variable.get("value") for variable in made["env"]}.get("NVIDIA_VISIBLE_DEVICES")
        without = not any("/" in name for name in made["resources"]["limits"])
        assert seen == ("void" if without and made["image"] == "hexad-serve" and made["name"] != "engine" else None)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_every_pod_can_log_in_to_the_profile_s_registry(cluster: str) -> None:
    found = plan(cluster)
    logins = [{"name": name} for name in found.pull_secrets]
    assert bool(logins) is (cluster != "kind")
    accounts = {made["metadata"]["name"]: made for made in endpoint_objects(found) if made["kind"] == "ServiceAccount"}
    for made in (made for made in endpoint_objects(found) if made["kind"] == "Deployment"):
        account = accounts[made["spec"]["template"]["spec"]["serviceAccountName"]]
        assert account.get("imagePullSecrets", []) == logins
    templates = {made["metadata"]["name"]: made["type"] for made in secret_templates(found)}
    assert all(templates[name] == "kubernetes.io/dockerconfigjson" for name in found.pull_secrets)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_weights_are_fetched_before_anything_reads_them(cluster: str) -> None:
    pod = next(
        made["spec"]["template"]["spec"]
        for made in endpoint_objects(plan(cluster))
        if made["kind"] == "Deployment" and "initContainers" in made["spec"]["template"]["spec"]
    )
    (fetch,) = pod["initContainers"]
    assert fetch["command"][2:] == [
        "hexad.deployment.fetch", "--bundle", "s3://hexad/bundles/k2-think-32b/0000000000000000", "--to", "/bundles",
    ]  # fmt: skip
    for reader in pod["containers"]:
        assert {"name": "bundles", "mountPath": "/bundles", "readOnly": True} in reader["volumeMounts"]


def test_the_scheduler_knows_how_much_disk_the_weights_take() -> None:
    pod = one(endpoint_objects(plan("gke")), "Deployment", "engine")["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["requests"]["ephemeral-storage"] == "72Gi"
    own_disk = one(endpoint_objects(plan("onprem-gpu")), "Deployment", "engine")["spec"]["template"]["spec"]
    claim = next(volume for volume in own_disk["volumes"] if volume["name"] == "bundles")["ephemeral"]
    assert claim["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"] == "72Gi"


@pytest.mark.parametrize(("replicas", "budgets"), [(1, set()), (2, {"engine", "gateway"})])
def test_a_single_pod_has_no_disruption_budget(replicas: int, budgets: set[str]) -> None:
    scaling = {"replicas": replicas, "max_replicas": replicas}
    objects = endpoint_objects(plan("onprem-gpu", scaling=scaling, gateway_replicas=replicas))
    found = [made for made in objects if made["kind"] == "PodDisruptionBudget"]
    assert {made["metadata"]["labels"]["app.kubernetes.io/component"] for made in found} == budgets


def test_a_missing_metric_scales_nothing_down() -> None:
    spec = one(endpoint_objects(plan("gke")), "ScaledObject")["spec"]
    assert spec["triggers"][0]["metadata"]["ignoreNullValues"] == "false"
    assert "fallback" not in spec


@pytest.mark.parametrize("scaler", [{"scaler": "hpa"}, {"scaler": "keda", "prometheus_url": "http://prometheus"}])
def test_a_scale_down_waits_for_the_longest_request(scaler: dict[str, str]) -> None:
    found = plan("gke", scaling={"max_replicas": 3, **scaler})
    objects = endpoint_objects(found)
    made = next(made for made in objects if made["kind"] in ("ScaledObject", "HorizontalPodAutoscaler"))
    spec = made["spec"]
    behavior = spec.get("behavior") or spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= found.timing.deadline_s
    assert behavior["scaleDown"]["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 600}]


def test_the_number_of_engines_is_stated_once() -> None:
    scaled, fixed = (one(endpoint_objects(plan(c)), "Deployment", "engine")["spec"] for c in ("gke", "kind"))
    assert "replicas" not in scaled
    assert fixed["replicas"] == 1


def test_cerebras_has_no_accelerator_and_its_key_from_a_secret() -> None:
    text = yaml.safe_dump(endpoint_objects(plan("cerebras")))
    assert "gpu" not in text
    assert "wse" not in text
    gateway = one(endpoint_objects(plan("cerebras")), "Deployment", "gateway")["spec"]["template"]["spec"]
    key = next(entry for entry in gateway["containers"][0]["env"] if entry["name"] == "HEXAD_ENGINE_KEY")
    assert key["valueFrom"] == {"secretKeyRef": {"name": "hexad-cerebras", "key": "engine_key"}}


@pytest.mark.parametrize(
    ("reference", "entry"),
    [
        ("hexad/serve:1.0", {"newName": "hexad/serve", "newTag": "1.0"}),
        ("registry:5000/hexad/serve", {"newName": "registry:5000/hexad/serve"}),
        ("registry:5000/serve:1", {"newName": "registry:5000/serve", "newTag": "1"}),
        (f"serve@sha256:{'a' * 64}", {"newName": "serve", "digest": f"sha256:{'a' * 64}"}),
        (f"serve:1@sha256:{'a' * 64}", {"newName": "serve", "digest": f"sha256:{'a' * 64}"}),
    ],
)
def test_an_image_reference_becomes_kustomize_s_entry(reference: str, entry: dict[str, str]) -> None:
    assert image_entry("hexad-serve", reference) == {"name": "hexad-serve", **entry}


def test_what_is_no_image_reference_is_refused() -> None:
    with pytest.raises(ValueError, match="no image reference; write NAME:TAG or NAME@sha256"):
        image_entry("hexad-serve", "two words")


if __name__ == "__main__":
    for cluster in [*POOLS, "cerebras"]:
        (GOLDEN / f"{cluster}.yaml").write_text(golden_text(cluster))
