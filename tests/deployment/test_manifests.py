"""The committed manifests: kustomize builds every overlay to what the product makes, and clusters would take it."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hexad.cli.inputs import profile_from
from hexad.cli.manifest_tree import EXAMPLES, files, main, overlay
from hexad.cli.manifests_command import write_files
from hexad.deployment.cluster.kustomization import Overlay, endpoint_files, endpoint_images
from hexad.deployment.cluster.objects import endpoint_objects
from hexad.deployment.pod_security import WORKLOADS, restricted_violations

from .kustomize import build
from .plans import CLUSTERS, ROOT, plan
from .schemas import runtime_pods, schema_errors

OVERLAYS = ROOT / "manifests" / "overlays"
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("onprem-gpu", {"kserve": "InferenceService", "scaling": {"replicas": 2, "max_replicas": 2}}),
    ("gke", {"kserve": "LLMInferenceService", "scaling": {}}),
    ("eks", {"scaling": {"max_replicas": 2, "scaler": "hpa"}}),
]
"""Options that no committed profile takes."""


def built(kubectl: Path, folder: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(build(kubectl, folder)))


def by_name(objects: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(made["kind"], made["metadata"]["name"]): made for made in objects}


def with_images(objects: list[dict[str, Any]], profile: str) -> list[dict[str, Any]]:
    images = profile_from(str(ROOT / "profiles" / f"{profile}.yaml")).images
    text = yaml.safe_dump(objects)
    for role in ("serve", "gateway", "train"):
        text = text.replace(f"image: hexad-{role}\n", f"image: {images[role]}\n")
    found: list[dict[str, Any]] = yaml.safe_load(text)
    return found


def cluster_overlay(cluster: str) -> Overlay:
    return overlay(profile_from(str(ROOT / "profiles" / f"{cluster}.yaml")), EXAMPLES[cluster])


def test_there_is_one_overlay_for_every_cluster_and_no_other() -> None:
    assert sorted(path.name for path in OVERLAYS.iterdir()) == sorted(CLUSTERS)


def test_committed_manifests_are_what_the_code_makes() -> None:
    assert main(check=True) == 0


def test_making_them_again_gives_the_same_bytes() -> None:
    assert files() == files()


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_kustomize_builds_an_overlay_to_the_objects_of_its_endpoint_and_of_runs(cluster: str, kubectl: Path) -> None:
    found = by_name(built(kubectl, OVERLAYS / cluster))
    namespace = found.pop(("Namespace", "hexad"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    wanted = list(cluster_overlay(cluster).objects)
    assert {made["metadata"].get("namespace", "hexad") for made in wanted} == {"hexad"}
    assert len(by_name(wanted)) == len(wanted)
    assert found == by_name(with_images(wanted, cluster))


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_every_object_of_an_overlay_is_valid(cluster: str, kubectl: Path) -> None:
    objects = built(kubectl, OVERLAYS / cluster)
    assert [error for made in objects for error in schema_errors(made)] == []
    assert len(objects) > 10


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_every_pod_of_an_overlay_is_let_into_a_restricted_namespace(cluster: str, kubectl: Path) -> None:
    objects = built(kubectl, OVERLAYS / cluster)
    assert [line for made in objects for line in restricted_violations(made)] == []
    assert sum(made["kind"] in WORKLOADS for made in objects) == 2


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_training_pods_are_let_in_too_where_there_is_kubeflow_trainer(cluster: str, kubectl: Path) -> None:
    runtimes = [made for made in built(kubectl, OVERLAYS / cluster) if made["kind"] == "ClusterTrainingRuntime"]
    pods = [pod for made in runtimes for pod in runtime_pods(made)]
    assert [line for pod in pods for line in restricted_violations({"kind": "Pod", "spec": pod})] == []
    assert len(pods) == (cluster != "kind")


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_secret_templates_are_valid_hold_no_value_and_are_not_applied(cluster: str, kubectl: Path) -> None:
    templates = secrets(cluster)
    assert [error for made in templates for error in schema_errors(made)] == []
    values = {value for made in templates for value in made["stringData"].values()}
    assert {re.sub(r'[{}":, ]|auths|username|password', "", value) for value in values} <= {
        "REPLACE-ME", "REPLACE-ME" * 3,
    }  # fmt: skip
    kinds = {made["kind"] for made in built(kubectl, OVERLAYS / cluster)}
    assert not kinds & {"Secret", "ExternalSecret"}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_an_overlay_names_every_secret_that_its_pods_need(cluster: str, kubectl: Path) -> None:
    given = {(made["metadata"]["name"], key) for made in secrets(cluster) for key in made["stringData"]}
    tasks = profile_from(str(ROOT / "profiles" / f"{cluster}.yaml")).tasks
    of_tasks = {(name, ".dockerconfigjson") for name in tasks.pull_secrets}
    of_tasks |= {(name, "ca.crt") for name in tasks.secret_volumes}
    assert given == secret_keys(built(kubectl, OVERLAYS / cluster)) | of_tasks


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_an_external_secret_makes_each_of_these_secrets(cluster: str) -> None:
    external = list(yaml.safe_load_all((OVERLAYS / cluster / "secrets.external.yaml").read_text()))
    assert [error for made in external for error in schema_errors(made)] == []
    assert [
        (made["spec"]["target"]["name"], made["spec"]["target"]["template"]["type"],
         [entry["secretKey"] for entry in made["spec"]["data"]])
        for made in external
    ] == [(made["metadata"]["name"], made["type"], list(made["stringData"])) for made in secrets(cluster)]  # fmt: skip


def secrets(cluster: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((OVERLAYS / cluster / "secrets.template.yaml").read_text()))


def secret_keys(value: Any) -> set[tuple[str, str]]:
    """Secret and key of each reference that a pod cannot start without."""
    if isinstance(value, list):
        return set().union(*map(secret_keys, value))
    if not isinstance(value, dict):
        return set()
    asked = value.get("secretKeyRef", {})
    here = {(asked["name"], asked["key"])} if asked and not asked.get("optional") else set()
    return here.union(*map(secret_keys, value.values()))


@pytest.mark.parametrize(("cluster", "site"), VARIANTS, ids=lambda value: value if isinstance(value, str) else "")
def test_options_that_no_profile_takes_are_valid_too(
    cluster: str, site: dict[str, Any], kubectl: Path, tmp_path: Path
) -> None:
    images = endpoint_images(profile_from(str(ROOT / "profiles" / f"{cluster}.yaml")).images)
    write_files(endpoint_files(plan(cluster, **site), images, "test"), tmp_path)
    objects = built(kubectl, tmp_path)
    assert [error for made in objects for error in schema_errors(made)] == []
    assert [line for made in objects for line in restricted_violations(made)] == []
    assert by_name(objects) == by_name(with_images(endpoint_objects(plan(cluster, **site)), cluster))


@pytest.mark.parametrize(
    ("cluster", "kind", "path", "value"),
    [
        ("gke", "ScaledObject", ("spec", "coolDownPeriod"), 5),
        ("gke", "ScaledObject", ("spec", "maxReplicaCount"), "many"),
        ("gke", "ServiceMonitor", ("spec", "endpoint"), []),
        ("kind", "Deployment", ("spec", "template", "spec", "nodeSelectors"), {}),
        ("kind", "Service", ("spec", "ports"), "http"),
        ("kind", "Role", ("rule",), []),
        ("kind", "ResourceQuota", ("spec", "hard"), "200"),
        ("gke", "PrometheusRule", ("spec", "group"), []),
        ("gke", "ClusterTrainingRuntime", ("spec", "mlPolicy", "numNode"), 1),
        ("gke", "ClusterTrainingRuntime", ("spec", "mlPolicy", "numNodes"), "1"),
    ],
)
def test_the_schemas_find_a_wrong_field(cluster: str, kind: str, path: tuple[str, ...], value: object) -> None:
    assert_found(next(made for made in cluster_overlay(cluster).objects if made["kind"] == kind), path, value)


@pytest.mark.parametrize(("path", "value"), [(("spec", "targets"), {}), (("spec", "refreshInterval"), 60)])
def test_the_schemas_find_a_wrong_field_of_an_external_secret(path: tuple[str, ...], value: object) -> None:
    text = (OVERLAYS / "gke" / "secrets.external.yaml").read_text()
    assert_found(next(yaml.safe_load_all(text)), path, value)


def test_the_schemas_find_a_wrong_field_in_a_runtime_s_pod() -> None:
    made = next(made for made in cluster_overlay("gke").objects if made["kind"] == "ClusterTrainingRuntime")
    made = yaml.safe_load(yaml.safe_dump(made))
    runtime_pods(made)[0]["nodeSelectors"] = {}
    assert len(schema_errors(made)) == 1


def test_the_example_of_a_training_job_is_valid_and_names_the_runtime_and_its_container() -> None:
    job = yaml.safe_load((ROOT / "manifests" / "examples" / "sft.trainjob.yaml").read_text())
    assert_found(job, ("spec", "podSpecOverrides"), [])
    runtime = next(made for made in cluster_overlay("gke").objects if made["kind"] == job["spec"]["runtimeRef"]["kind"])
    assert job["spec"]["runtimeRef"]["name"] == runtime["metadata"]["name"]
    patched = job["spec"]["runtimePatches"][0]["trainingRuntimeSpec"]
    assert [c["name"] for c in runtime_pods({"spec": patched})[0]["containers"]] == [
        c["name"] for c in runtime_pods(runtime)[0]["containers"]
    ]


@pytest.mark.parametrize(
    ("variant", "path", "value"),
    [
        (0, ("spec", "predictor", "minReplica"), 1),
        (0, ("spec", "predictor", "minReplicas"), "1"),
        (0, ("spec", "predictors"), {}),
        (1, ("spec", "storageInitializer", "enable"), False),
        (1, ("spec", "template", "container"), []),
    ],
)
def test_the_schemas_find_a_wrong_field_of_kserve_s(variant: int, path: tuple[str, ...], value: object) -> None:
    cluster, site = VARIANTS[variant]
    objects = endpoint_objects(plan(cluster, **site))
    assert_found(next(made for made in objects if made["kind"] == site["kserve"]), path, value)


def assert_found(made: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    made = yaml.safe_load(yaml.safe_dump(made))
    assert schema_errors(made) == []
    parent = made
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    assert schema_errors(made) != []


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"notes\.txt, which this command did not make"):
        write_files({"a.yaml": ""}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_kustomize_refuses_a_broken_overlay(kubectl: Path, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [missing.yaml]\n")
    with pytest.raises(subprocess.CalledProcessError):
        build(kubectl, tmp_path)
