"""Compiling: fast, the same bytes every time, and nothing in the IR that a cluster or kfp.local would choke on."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from hexad.pipelines.compile import compile_pipeline
from hexad.pipelines.ir_lint import lint
from hexad.pipelines.profile import Profile, load_profile
from hexad.pipelines.recipe import Recipe, load_recipe
from hexad.pipelines.settings import box_settings
from hexad.stage.artifact import Settings
from hexad.stage.boxes import BOXES

RECIPE = Recipe.model_validate({"name": "test", "seed": 7, "curate": {"base": {"kind": "random"}}})
PROFILES = sorted(Path("profiles").glob("*.yaml"))


def compiled(folder: Path, profile: Profile) -> list[dict[str, Any]]:
    target = compile_pipeline(box_settings(RECIPE, profile), profile, folder / "pipeline.yaml")
    return [document for document in yaml.safe_load_all(target.read_text()) if document]


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.stem)
def test_the_ir_is_clean_for_every_profile(file: Path, tmp_path: Path) -> None:
    profile = load_profile(file)
    pipeline, *platform = compiled(tmp_path, profile)
    cluster = profile.name != "local"
    assert lint(pipeline, *platform, cluster=cluster, mutable_images=profile.mutable_images) == []
    assert profile.cluster == cluster


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("first", "1"), ("second", "2")):
        command = [sys.executable, "-m", "hexad.cli.main", "compile", "recipes/tiny.yaml", "--profile", "gke", "-o"]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([*command, str(tmp_path / name)], check=True, capture_output=True, env=environment)
    first, second = ((tmp_path / name / "tiny-gke.yaml").read_bytes() for name in ("first", "second"))
    assert first == second


def test_a_box_of_a_schedule_is_never_taken_from_a_cache(tmp_path: Path) -> None:
    profile = load_profile(Path("profiles/kind.yaml"))
    settings = box_settings(RECIPE, profile, every_run=["evaluate"])
    target = compile_pipeline(settings, profile, tmp_path / "pipeline.yaml", ["evaluate"])
    ir = next(yaml.safe_load_all(target.read_text()))
    loop = next(c for c in ir["components"].values() if "evaluate" in c.get("dag", {}).get("tasks", {}))
    assert not loop["dag"]["tasks"]["evaluate"]["cachingOptions"].get("enableCache")
    assert {name for name in BOXES if json.loads(settings[name])["context"]["every_run"]} == {"evaluate", "scores"}


def test_a_node_pool_s_taints_are_tolerated_by_the_tasks_that_run_there(tmp_path: Path) -> None:
    """Tolerations are parameters of the run, so that another pool needs no other pipeline."""
    ir, platform = compiled(tmp_path, load_profile(Path("profiles/aks.yaml")))[:2]
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    parameters = ir["root"]["inputDefinitions"]["parameters"]
    for executor, pool in (("exec-sft", "train_tolerations"), ("exec-serve", "serve_tolerations")):
        (given,) = executors[executor]["tolerations"]
        assert given["tolerationJson"]["componentInputParameter"].endswith(pool)
        taints = {taint["key"] for taint in parameters[pool]["defaultValue"]}
        assert taints == {"sku", "nvidia.com/gpu"}
    assert "tolerations" not in executors["exec-gate"]


def test_every_box_carries_its_own_section_and_context(tmp_path: Path) -> None:
    profile = load_profile(Path("profiles/local.yaml"))
    parameters = compiled(tmp_path, profile)[0]["root"]["inputDefinitions"]["parameters"]
    assert set(parameters) == {*BOXES, "cleanup"}
    sft = Settings.model_validate(json.loads(parameters["sft"]["defaultValue"]))
    assert sft.config == RECIPE.sft.model_dump(mode="json")
    assert (sft.context.store, sft.context.seed) == ("s3://hexad/test", 7)


def test_a_profile_decides_images_secrets_and_memory(tmp_path: Path) -> None:
    pipeline, platform = compiled(tmp_path, load_profile(Path("profiles/kind.yaml")))
    trainer = pipeline["deploymentSpec"]["executors"]["exec-sft"]["container"]
    assert trainer["image"] == "hexad/train-python:dev"
    assert trainer["resources"]["resourceMemoryLimit"] == "8Gi"
    deployed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-serve"]
    assert deployed["secretAsEnv"][0]["secretNameParameter"] == {
        "componentInputParameter": "pipelinechannel--store_secret"
    }
    assert pipeline["root"]["inputDefinitions"]["parameters"]["store_secret"]["defaultValue"] == "hexad-store"
    assert deployed["emptyDirMounts"][0]["mountPath"] == "/dev/shm"


def test_raising_an_attempt_changes_only_that_section() -> None:
    profile = load_profile(Path("profiles/local.yaml"))
    before, after = box_settings(RECIPE, profile), box_settings(RECIPE, profile, attempts={"evaluate": 1})
    assert {name for name in before if before[name] != after[name]} == {"evaluate", "scores"}


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.stem)
def test_the_32b_recipe_compiles_for_every_profile_in_under_five_seconds_to_under_a_megabyte(
    file: Path, tmp_path: Path
) -> None:
    recipe, profile = load_recipe(Path("recipes/k2-think-32b.yaml")), load_profile(file)
    before = time.process_time()
    target = compile_pipeline(box_settings(recipe, profile), profile, tmp_path / "pipeline.yaml")
    seconds, size = time.process_time() - before, target.stat().st_size
    print(f"{file.stem}: {seconds:.2f} s of processor time, {size} bytes")
    assert seconds < 5.0
    assert size < 1_000_000


def test_the_command_takes_under_five_seconds_beside_the_import_of_kfp(tmp_path: Path) -> None:
    recipe = "recipes/k2-think-32b.yaml"
    command = [sys.executable, "-m", "hexad.cli.main", "compile", recipe, "--profile", "eks", "-o", str(tmp_path)]
    kfp = _child_seconds([sys.executable, "-c", "import kfp.compiler, kfp.kubernetes"])
    usage = _child_seconds(command)
    print(f"compile: {usage:.2f} s of processor time, {kfp:.2f} s of them kfp's import")
    assert usage - kfp < 5.0


def _child_seconds(command: list[str]) -> float:
    """Processor time, because a test machine may be busy with other things."""
    import resource

    def total() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = total()
    subprocess.run(command, check=True, capture_output=True)
    return total() - before
