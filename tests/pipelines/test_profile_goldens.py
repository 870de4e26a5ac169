"""What each profile makes of the pipeline, as a file to read: `tests/pipelines/golden/PROFILE.yaml`.

After a change that is wanted: `HEXAD_WRITE_GOLDEN=1 pytest tests/pipelines/test_profile_goldens.py`, and read the diff.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from hexad.pipelines.compile import compile_pipeline
from hexad.pipelines.profile import Profile, load_profile
from hexad.pipelines.recipe import Recipe
from hexad.pipelines.settings import box_settings
from hexad.pipelines.task_placement import run_time_values
from hexad.stage.boxes import BOXES

GOLDEN = Path(__file__).parent / "golden"
RECIPE = Recipe.model_validate({"name": "test", "seed": 7, "curate": {"base": {"kind": "random"}}})
PROFILES = sorted(Path("profiles").glob("*.yaml"))


def decided(profile: Profile, folder: Path) -> dict[str, Any]:
    """All of a compiled pipeline that the profile decides; code and settings of the boxes change for other reasons."""
    target = compile_pipeline(box_settings(RECIPE, profile), profile, folder / "pipeline.yaml")
    pipeline, platform, *_ = [*filter(None, yaml.safe_load_all(target.read_text())), {}]
    parameters = pipeline["root"]["inputDefinitions"]["parameters"]
    containers = {
        name: {key: executor["container"][key] for key in ("image", "resources", "env") if key in executor["container"]}
        for name, executor in pipeline["deploymentSpec"]["executors"].items()
    }
    dags = {"root": pipeline["root"], **{n: c for n, c in pipeline["components"].items() if "dag" in c}}
    tasks = {
        f"{where}/{name}": {"retry": task.get("retryPolicy", {}), "cached": task.get("cachingOptions", {}) != {}}
        for where, component in dags.items()
        for name, task in component["dag"]["tasks"].items()
        if "executorLabel" in pipeline["components"][task["componentRef"]["name"]]
    }
    return {
        "parameters": {name: value for name, value in parameters.items() if name not in (*BOXES, "cleanup")},
        "containers": containers,
        "tasks": tasks,
        "platform": platform,
    }


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.stem)
def test_a_profile_decides_what_its_golden_file_says(file: Path, tmp_path: Path) -> None:
    profile = load_profile(file)
    made = decided(profile, tmp_path)
    golden = GOLDEN / file.name
    if os.environ.get("HEXAD_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(yaml.safe_dump(made, sort_keys=True, width=120))
    assert made == yaml.safe_load(golden.read_text())
    assert set(made["parameters"]) == set(run_time_values(profile))


def test_every_setting_of_tasks_reaches_the_pod(tmp_path: Path) -> None:
    profile = load_profile(Path("profiles/gke.yaml"))
    tasks = profile.tasks.model_dump() | {
        "run_as_user": 12345,
        "labels": {"team": "reasoning"},
        "secret_environment": [{"secret": "hub", "variables": {"token": "HF_TOKEN"}}],
        "secret_volumes": {"ca": "/etc/ca"},
        "cache": {"size": "1Ti", "storage_class": "nvme"},
        "affinity": {"train": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
    }
    changed = Profile.model_validate(profile.model_dump(mode="json") | {"tasks": tasks})
    made = decided(changed, tmp_path)
    pod = made["platform"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-sft"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "runAsUser": "12345"}
    assert pod["podMetadata"]["labels"] == {
        "team": "reasoning", "kueue.x-k8s.io/queue-name": "hexad", "hexad.dev/run-id": "{{workflow.uid}}",
    }  # fmt: skip
    assert pod["podMetadata"]["annotations"] == {"sidecar.istio.io/inject": "false"}
    assert [secret["secretNameParameter"] for secret in pod["secretAsEnv"]] == [
        {"componentInputParameter": "pipelinechannel--store_secret"},
        {"runtimeValue": {"constant": "hub"}},
    ]
    assert pod["secretAsVolume"][0]["mountPath"] == "/etc/ca"
    assert pod["genericEphemeralVolume"][0]["storageClassName"] == "nvme"
    assert pod["nodeAffinity"][0]["nodeAffinityJson"] == {"componentInputParameter": "pipelinechannel--train_affinity"}
    assert pod["activeDeadlineSeconds"] == "432000"
    assert pod["imagePullPolicy"] == "IfNotPresent"
    assert pod["fieldPathAsEnv"] == [{"fieldPath": "metadata.labels['pipeline/runid']", "name": "HEXAD_RUN_ID"}]


@pytest.mark.parametrize("file", [file for file in PROFILES if file.stem != "local"], ids=lambda file: file.stem)
def test_a_stage_that_ran_to_its_time_limit_is_still_tried_again(file: Path, tmp_path: Path) -> None:
    """Argo starts no try, and ends a running one, once `backoffMaxDuration` is over since the first try's start."""
    profile = load_profile(file)
    settings, retry = profile.tasks, profile.tasks.retry
    assert retry is not None
    a_day = 86400  # for waiting in a queue
    for name, task in decided(profile, tmp_path)["tasks"].items():
        section = next((box.section for stage, box in BOXES.items() if f"/{stage}" in name), "cleanup")
        needed = (retry.times + 1) * (settings.timeout(section) + a_day)
        assert int(task["retry"]["backoffMaxDuration"].removesuffix("s")) > needed, name


@pytest.mark.parametrize(
    ("given", "threads"), [({}, "2"), ({"OMP_NUM_THREADS": "1"}, "1")], ids=["as many as cores", "as the profile says"]
)
def test_openmp_starts_no_more_threads_than_a_task_has_cores(
    given: dict[str, str], threads: str, tmp_path: Path
) -> None:
    """It counts the node's cores, whatever the limit of the container is."""
    profile = load_profile(Path("profiles/kind.yaml"))
    changed = profile.model_copy(update={"environment": profile.environment | given})
    found = decided(changed, tmp_path)["containers"]["exec-sft"]["env"]
    assert [variable["value"] for variable in found if variable["name"] == "OMP_NUM_THREADS"] == [threads]


def test_no_wait_between_tries_is_longer_than_the_profile_allows(tmp_path: Path) -> None:
    """Kubeflow has no cap for single waits, so the factor makes up for it."""
    profile = load_profile(Path("profiles/gke.yaml"))
    retry = {"times": 3, "wait_s": 60, "factor": 4, "longest_wait_s": 600}
    tasks = profile.tasks.model_dump(mode="json") | {"retry": retry}
    changed = Profile.model_validate(profile.model_dump(mode="json") | {"tasks": tasks})
    found = decided(changed, tmp_path)["tasks"]["comp-exit-handler-1/sft"]["retry"]
    assert (found["backoffDuration"], found["backoffFactor"], found["maxRetryCount"]) == ("60s", 3.0, 3)
