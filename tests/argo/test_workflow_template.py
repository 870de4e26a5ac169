"""What a profile and a pipeline make of a WorkflowTemplate.

After a change that is wanted: `HEXAD_WRITE_GOLDEN=1 pytest tests/argo/test_workflow_template.py`, and read the diff.
"""

import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hexad.argo.lint import lint
from hexad.argo.workflow_template import text_of, workflow_template
from hexad.pipelines.compile import compile_pipeline, pipeline_ir
from hexad.pipelines.profile import Profile, load_profile
from hexad.pipelines.settings import box_settings
from hexad.stage.boxes import BOXES

from .conftest import RECIPE, exported
from .schema import schema_errors

GOLDEN = Path(__file__).parent / "golden" / "gke.yaml"
PROFILES = sorted(Path("profiles").glob("*.yaml"))
EXPORT_ALL = """
import sys
from pathlib import Path
from hexad.cli.pipeline_commands import compile_recipe
sys.exit(max(compile_recipe(Path("recipes/tiny.yaml"), name, Path(sys.argv[1]), argo=True) for name in sys.argv[2:]))
"""


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.stem)
def test_argo_s_schema_knows_every_field(file: Path) -> None:
    assert schema_errors(exported(RECIPE, load_profile(file))) == []


@pytest.mark.parametrize("at", ["metadata", "spec", "container"])
def test_a_field_that_argo_does_not_know_is_an_error(at: str, gke: dict[str, Any]) -> None:
    wrong = copy.deepcopy(gke)
    place = wrong["spec"]["templates"][1]["container"] if at == "container" else wrong[at]
    place["retries"] = 3
    assert len(schema_errors(wrong)) == 1


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.stem)
def test_the_lint_finds_nothing_for_any_profile(file: Path) -> None:
    profile = load_profile(file)
    made = exported(RECIPE, profile)
    assert lint(made, cluster=profile.cluster, mutable_images=profile.mutable_images) == []


def test_two_processes_write_the_same_bytes_for_every_profile(tmp_path: Path) -> None:
    names = [file.stem for file in PROFILES]
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", EXPORT_ALL, str(tmp_path / seed), *names]
        subprocess.run(command, check=True, capture_output=True, env=environment)
    for name in names:
        first, second = (tmp_path / seed / f"tiny-{name}-argo.yaml" for seed in ("1", "2"))
        assert first.read_bytes() == second.read_bytes()


def test_a_profile_and_the_pipeline_decide_what_the_golden_file_says(gke: dict[str, Any]) -> None:
    made = copy.deepcopy(gke)
    for parameter in made["spec"]["arguments"]["parameters"]:
        parameter["value"] = "settings of the stage, which change with its code"
    if os.environ.get("HEXAD_WRITE_GOLDEN"):
        GOLDEN.write_text(text_of(made))
    assert text_of(made) == GOLDEN.read_text()


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.stem)
def test_pods_are_those_of_the_kubeflow_pipeline(file: Path, tmp_path: Path) -> None:
    profile = load_profile(file)
    target = compile_pipeline(box_settings(RECIPE, profile), profile, tmp_path / "pipeline.yaml")
    pipeline, *platform = filter(None, yaml.safe_load_all(target.read_text()))
    pods = platform[0]["platforms"]["kubernetes"]["deploymentSpec"]["executors"] if platform else {}
    templates = {made["name"]: made for made in exported(RECIPE, profile)["spec"]["templates"]}
    for stage in (*BOXES, "cleanup"):
        container = pipeline["deploymentSpec"]["executors"][f"exec-{stage}"]["container"]
        assert of_argo(templates[stage]) == of_kubeflow(container, pods.get(f"exec-{stage}", {}), profile)


def of_argo(template: dict[str, Any]) -> dict[str, Any]:
    container = template["container"]
    return {
        "image": container["image"],
        "environment": {
            v["name"]: v["value"] for v in container["env"] if "value" in v and v["name"] != "HEXAD_RUN_ID"
        },
        "secrets": {v["name"] for v in container["env"] if "secretKeyRef" in v.get("valueFrom", {})},
        "limits": container.get("resources", {}).get("limits", {}),
        "mounts": {mount["mountPath"] for mount in container["volumeMounts"]} - {"/tmp"},
        "deadline": template.get("activeDeadlineSeconds", 0),
        "labels": template.get("metadata", {}).get("labels", {}),
        "pull policy": container.get("imagePullPolicy"),
    }


def of_kubeflow(container: dict[str, Any], pod: dict[str, Any], profile: Profile) -> dict[str, Any]:
    resources = container.get("resources", {})
    accelerator = resources.get("accelerator", {})
    limits = {
        "cpu": resources.get("resourceCpuLimit"),
        "memory": resources.get("resourceMemoryLimit"),
        accelerator.get("resourceType"): accelerator.get("resourceCount"),
    }
    secrets = [key["envVar"] for secret in pod.get("secretAsEnv", []) for key in secret["keyToEnv"]]
    volumes = ("emptyDirMounts", "pvcMount", "genericEphemeralVolume", "secretAsVolume")
    metadata = pod.get("podMetadata", {})
    assert metadata.get("annotations", {}) == profile.tasks.annotations
    return {
        "image": container["image"],
        "environment": {variable["name"]: variable["value"] for variable in container.get("env", [])},
        "secrets": set(secrets),
        "limits": {name: amount for name, amount in limits.items() if name and amount},
        "mounts": {mount["mountPath"] for kind in volumes for mount in pod.get(kind, [])},
        "deadline": int(pod.get("activeDeadlineSeconds", 0)),
        "labels": metadata.get("labels", {}),
        "pull policy": pod.get("imagePullPolicy"),
    }


def changed(profile: Profile, **tasks: Any) -> dict[str, Any]:
    settings = profile.model_dump(mode="json")
    return exported(RECIPE, Profile.model_validate({**settings, "tasks": {**settings["tasks"], **tasks}}))


def test_a_user_of_the_profile_can_write_the_volumes() -> None:
    made = changed(load_profile(Path("profiles/gke.yaml")), run_as_user=12345, fs_group=None)
    identity = made["spec"]["securityContext"]
    assert identity["runAsUser"] == identity["fsGroup"] == 12345


@pytest.mark.parametrize("file", sorted(Path("profiles").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_cache_belongs_to_a_group_of_the_stages_that_write_it(file: Path) -> None:
    """A new volume is root's alone, and no stage runs as root."""
    profile = load_profile(file)
    identity = exported(RECIPE, profile)["spec"]["securityContext"]
    assert ("fsGroup" in identity) is (profile.tasks.cache is not None)


def test_the_namespace_chooses_users_and_groups_where_the_profile_names_none() -> None:
    """OpenShift refuses a pod that asks for others."""
    identity = changed(load_profile(Path("profiles/gke.yaml")), fs_group=None)["spec"]["securityContext"]
    assert not identity.keys() & {"runAsUser", "fsGroup"}


def test_waits_between_tries_are_capped_where_they_would_grow_longer_than_the_profile_allows() -> None:
    retry = {"times": 5, "wait_s": 600, "factor": 2.0, "longest_wait_s": 1800}
    made = changed(load_profile(Path("profiles/gke.yaml")), retry=retry)
    assert made["spec"]["templates"][1]["retryStrategy"]["backoff"] == {
        "duration": "600s",
        "factor": "2",
        "cap": "1800s",
    }
    assert schema_errors(made) == []


def test_a_factor_between_waits_that_argo_cannot_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tasks\.retry\.factor\n.*valid integer"):
        changed(load_profile(Path("profiles/gke.yaml")), retry={"factor": 1.5})


def test_a_volume_as_long_as_the_task_is_asked_for_by_size_and_class() -> None:
    made = changed(load_profile(Path("profiles/gke.yaml")), cache={"size": "1Ti", "storage_class": "nvme"})
    volumes = {volume["name"]: volume for volume in made["spec"]["templates"][1]["volumes"]}
    claim = volumes["cache"]["ephemeral"]["volumeClaimTemplate"]["spec"]
    assert (claim["resources"]["requests"]["storage"], claim["storageClassName"]) == ("1Ti", "nvme")


def test_settings_that_argo_would_take_for_a_tag_are_refused() -> None:
    profile = load_profile(Path("profiles/kind.yaml"))
    settings = box_settings(RECIPE, profile)
    tagged = {**settings, "gate": settings["gate"].replace('"all"', '"{{all}}"')}
    with pytest.raises(ValueError, match=r"^gate: .*reword it$"):
        workflow_template("test", "", pipeline_ir(settings, profile), tagged, profile)


@pytest.mark.parametrize("name", ["hexad-tiny-My_Cluster", "hexad-" + "a" * 60, ""])
def test_a_name_that_no_label_can_hold_is_refused(name: str) -> None:
    profile = load_profile(Path("profiles/kind.yaml"))
    with pytest.raises(ValueError, match=r"is no name for a WorkflowTemplate; give"):
        workflow_template(name, "", {}, {}, profile)
