"""Compiling: fast, the same bytes every time, and nothing in the IR that a cluster or kfp.local would choke on."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ir_lint import lint
from kfp import compiler, dsl

from hexad.pipelines.compile import compile_pipeline
from hexad.pipelines.profile import Profile, load_profile
from hexad.pipelines.recipe import Recipe
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
    assert lint(compiled(tmp_path, load_profile(file))[0]) == []


def test_the_lint_finds_a_run_time_install(tmp_path: Path) -> None:
    @dsl.component(base_image="python:3.11-slim", packages_to_install=["numpy"])
    def bad(config: dict) -> int:  # type: ignore[type-arg]
        return len(config)

    @dsl.pipeline(name="bad")
    def pipeline() -> None:
        bad(config={"a": 1})

    compiler.Compiler().compile(pipeline, str(tmp_path / "bad.yaml"))
    found = lint(yaml.safe_load((tmp_path / "bad.yaml").read_text()))
    assert any("installs packages" in text for text in found)
    assert any("become floats" in text for text in found)


def test_compiling_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    profile = load_profile(Path("profiles/kind.yaml"))
    settings = box_settings(RECIPE, profile)
    first, second = (compile_pipeline(settings, profile, tmp_path / name) for name in ("a.yaml", "b.yaml"))
    assert first.read_bytes() == second.read_bytes()


def test_a_node_pool_s_taints_are_tolerated_by_the_tasks_that_run_there(tmp_path: Path) -> None:
    platform = compiled(tmp_path, load_profile(Path("profiles/aks.yaml")))[1]
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    tolerated = {
        name: [tuple(t.get(key) for key in ("key", "operator", "value", "effect")) for t in e.get("tolerations", [])]
        for name, e in executors.items()
    }
    pool = [("sku", "Equal", "gpu", "NoSchedule"), ("nvidia.com/gpu", "Exists", None, "NoSchedule")]
    assert tolerated["exec-sft"] == tolerated["exec-serve"] == pool
    assert tolerated["exec-gate"] == []


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
    assert deployed["secretAsEnv"][0]["secretName"] == "hexad-store"
    assert deployed["emptyDirMounts"][0]["mountPath"] == "/dev/shm"


def test_raising_an_attempt_changes_only_that_section() -> None:
    profile = load_profile(Path("profiles/local.yaml"))
    before, after = box_settings(RECIPE, profile), box_settings(RECIPE, profile, attempts={"evaluate": 1})
    assert {name for name in before if before[name] != after[name]} == {"evaluate", "scores"}


def test_compiling_takes_under_five_seconds(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(RECIPE.model_dump(mode="json", include={"name", "seed"}) | {
        "curate": {"base": {"kind": "random"}}}))  # fmt: skip
    command = [sys.executable, "-m", "hexad.cli.main", "compile", str(recipe), "-o", str(tmp_path)]
    before = time.perf_counter()
    usage = _child_seconds(command)
    print(f"compile: {usage:.2f} s of processor time, {time.perf_counter() - before:.2f} s of wall time")
    assert usage < 5.0


def _child_seconds(command: list[str]) -> float:
    """Processor time, because a test machine may be busy with other things."""
    import resource

    def total() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = total()
    subprocess.run(command, check=True, capture_output=True)
    return total() - before
