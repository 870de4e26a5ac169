"""The commands of a WorkflowTemplate do their work: run as Argo would, on a real store."""

import json
from pathlib import Path
from typing import Any

import pytest

from hexad.pipelines.profile import Profile, load_profile
from hexad.pipelines.recipe import Recipe, load_recipe
from hexad.stage.artifact import Settings
from hexad.stage.boxes import BOXES, GROUPS
from hexad.storage import open_store, read_manifest

from .conftest import exported
from .interpreter import Ended, Pod, Workflow, as_process, run_workflow


def tiny(store: Path, **preflight: Any) -> tuple[Recipe, Profile]:
    """The tiny recipe, with a store on this machine."""
    recipe, profile = load_recipe(Path("recipes/tiny.yaml")), load_profile(Path("profiles/kind.yaml"))
    checks = recipe.preflight.model_copy(update={"min_memory_gib": 0.1, **preflight})
    return (
        recipe.model_copy(update={"preflight": checks}),
        profile.model_copy(update={"store": store.as_uri(), "store_secret": ""}),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("argo")


@pytest.fixture(scope="module")
def template(folder: Path) -> dict[str, Any]:
    return exported(*tiny(folder / "store"))


@pytest.fixture(scope="module")
def trained(folder: Path, template: dict[str, Any]) -> Workflow:
    """The workflow up to the fine-tuned model."""
    return run_workflow(template, as_process(folder / "first"), target="sft")


def tree(workflow: Workflow, stage: str) -> str:
    return workflow.outputs[f"{stage}.outputs.parameters.tree"]


def test_every_stage_leaves_a_committed_tree(trained: Workflow) -> None:
    assert trained.status == "Succeeded", trained.logs
    for stage in ("curate", "sft"):
        uri = tree(trained, stage)
        manifest = read_manifest(open_store(uri), uri)
        assert manifest is not None
        assert manifest.provenance.stage == stage


def test_a_stage_s_tree_is_made_from_the_one_that_was_passed_to_it(trained: Workflow) -> None:
    uri = tree(trained, "sft")
    manifest = read_manifest(open_store(uri), uri)
    assert manifest is not None
    assert manifest.metadata["inputs"] == {"data": tree(trained, "curate")}


def test_figures_come_with_the_tree(trained: Workflow) -> None:
    assert "eval_loss" in json.loads(trained.outputs["sft.outputs.parameters.metrics"])


def test_a_second_workflow_finds_the_trees(folder: Path, template: dict[str, Any], trained: Workflow) -> None:
    again = run_workflow(template, as_process(folder / "second"), target="sft")
    assert again.outputs == trained.outputs
    assert again.logs["sft"].startswith(f"found: {tree(trained, 'sft')}")


def test_kubeflow_s_task_finds_the_tree_that_argo_s_made(template: dict[str, Any], trained: Workflow) -> None:
    """What `run_box` does with the settings that the pipeline's parameter holds."""
    given = {parameter["name"]: parameter["value"] for parameter in template["spec"]["arguments"]["parameters"]}
    settings = Settings.model_validate_json(given["curate"])
    box = BOXES["curate"]
    found = box.load_job().run(box.config_type().model_validate(settings.config), settings.context, {})
    assert found.cached
    assert found.manifest.uri == tree(trained, "curate")


def test_the_exit_handler_says_that_a_run_succeeded(trained: Workflow) -> None:
    assert trained.logs["onExit"].strip() == "tiny: done"


def test_the_exit_handler_names_the_stage_that_failed(tmp_path: Path) -> None:
    template = exported(*tiny(tmp_path / "store", paths=["no/such/file"]))
    failed = run_workflow(template, as_process(tmp_path))
    assert failed.status == "Failed"
    assert "path no/such/file: missing" in failed.logs["preflight"]
    assert failed.logs["onExit"].strip() == "tiny: failed: preflight: Error (exit code 1)"


def test_every_stage_gets_the_trees_that_it_takes_from_the_stages_that_make_them(template: dict[str, Any]) -> None:
    """The whole DAG, with containers that only say what they were started with."""
    given: dict[str, dict[str, str]] = {}

    def start(pod: Pod) -> Ended:
        words = pod.container["args"]
        values = [words[place + 1] for place, word in enumerate(words) if word == "--in"]
        given[pod.name] = dict(value.split("=", 1) for value in values)
        return Ended({name: f"{pod.name} {name}" for name in pod.outputs}, "")

    run_workflow(template, start)
    evaluated = [f"evaluate({index}:{group})" for index, group in enumerate(GROUPS)]
    assert given == {
        "preflight": {}, "curate": {}, "onExit": {},
        "sft": {"data": "curate tree"},
        "rlvr": {"data": "curate tree", "model": "sft tree"},
        "verifier": {"data": "curate tree", "policy": "rlvr tree"},
        "drafter": {"data": "curate tree", "policy": "rlvr tree"},
        "serve": {"data": "curate tree", "policy": "rlvr tree", "verifier": "verifier tree", "draft": "drafter tree"},
        **{pod: {"data": "curate tree", "sft": "sft tree", "policy": "rlvr tree", "bundle": "serve tree"}
           for pod in evaluated},
        "scores": {"data": "curate tree", ",".join(GROUPS): json.dumps([f"{pod} tree" for pod in evaluated])},
        "gate": {"scores": "scores tree", "data": "curate tree"},
        "report": {
            "data": "curate tree", "sft": "sft tree", "policy": "rlvr tree", "verifier": "verifier tree",
            "draft": "drafter tree", "bundle": "serve tree", "scores": "scores tree",
        },
    }  # fmt: skip
