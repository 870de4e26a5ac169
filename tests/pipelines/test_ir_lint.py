"""The lint finds each fault in a pipeline that was clean before, names where it is, and says what to do."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import compiler, dsl
from typer.testing import CliRunner

from hexad.cli.main import app
from hexad.pipelines.compile import compile_pipeline
from hexad.pipelines.ir_lint import lint
from hexad.pipelines.lint_rules import Finding
from hexad.pipelines.profile import load_profile
from hexad.pipelines.recipe import Recipe
from hexad.pipelines.settings import box_settings

FAULTS = [json.loads(line) for line in (Path(__file__).parent / "ir_faults.jsonl").read_text().splitlines()]

# Made up here, in the shape of real ones, and put together so that no scanner of this file takes them for such.
SECRETS = {
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "an AWS access key": "AKIA" + "ABCDEFGHIJ123456",
    "a Hugging Face token": "hf_" + "a1B2" * 9,
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a JSON web token": "eyJ" + "hbGciOiJub25lIn0" + ".eyJ" + "zdWIiOiJub2JvZHkifQ" + ".c2lnbmF0dXJl",
    "an API key": "sk-" + "a1B2" * 8,
    "a password in a URL": "https://" + "robot:hunter2" + "@registry.example/v2",
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    recipe = Recipe.model_validate({"name": "test", "seed": 7, "curate": {"base": {"kind": "random"}}})
    profile = load_profile(Path("profiles/gke.yaml"))
    target = compile_pipeline(box_settings(recipe, profile), profile, tmp_path_factory.mktemp("ir") / "pipeline.yaml")
    pipeline, platform = filter(None, yaml.safe_load_all(target.read_text()))
    found = {"pipeline": pipeline, "platform": platform}
    # Names of tasks that KFP numbers.
    loop = next(name for name in pipeline["components"]["comp-exit-handler-1"]["dag"]["tasks"] if "loop" in name)
    tasks = pipeline["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    tasks["cells"] = tasks.pop(loop)
    return found


def findings(documents: dict[str, Any]) -> list[Finding]:
    return lint(documents["pipeline"], documents["platform"], cluster=True, mutable_images=False)


def test_the_pipeline_that_the_faults_are_put_into_is_clean(clean: dict[str, Any]) -> None:
    assert findings(clean) == []


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row["fault"])
def test_a_fault_is_found_where_it_is(row: dict[str, Any], clean: dict[str, Any]) -> None:
    broken = copy.deepcopy(clean)
    *path, last = row["at"]
    place = broken
    for step in path:
        place = place[step]
    place[last] = {**place[last], **row["merge"]} if "merge" in row else row["value"]
    found = findings(broken)
    assert [finding.task for finding in found if row["says"] in finding.value and finding.task.endswith(row["task"])]
    assert all(finding.mend for finding in found)


@pytest.mark.parametrize("what", SECRETS)
def test_a_secret_is_found_anywhere_and_not_repeated(what: str, clean: dict[str, Any]) -> None:
    broken = copy.deepcopy(clean)
    settings = json.dumps({"config": {"note": SECRETS[what]}})
    broken["pipeline"]["root"]["inputDefinitions"]["parameters"]["sft"]["defaultValue"] = settings
    found = findings(broken)
    assert [finding.value for finding in found] == [f"holds {what}"]
    assert found[0].task == "pipeline.root.inputDefinitions.parameters.sft.defaultValue"
    assert SECRETS[what] not in str(found[0])


def test_a_commit_names_an_image_as_well_as_a_digest(clean: dict[str, Any]) -> None:
    fixed = copy.deepcopy(clean)
    fixed["pipeline"]["deploymentSpec"]["executors"]["exec-sft"]["container"]["image"] = "hexad/train:5585202a1b2c"
    assert findings(fixed) == []


def test_a_developer_may_use_tags_that_move(clean: dict[str, Any]) -> None:
    moved = copy.deepcopy(clean)
    moved["pipeline"]["deploymentSpec"]["executors"]["exec-sft"]["container"]["image"] = "hexad/train:dev"
    assert lint(moved["pipeline"], moved["platform"], cluster=True, mutable_images=True) == []


def test_the_lint_reads_what_kfp_makes_of_packages_to_install(tmp_path: Path) -> None:
    @dsl.component(base_image="python:3.11-slim", packages_to_install=["numpy"])
    def bad(config: dict) -> int:  # type: ignore[type-arg]
        return len(config)

    @dsl.pipeline(name="bad")
    def pipeline() -> None:
        bad(config={"a": 1})

    compiler.Compiler().compile(pipeline, str(tmp_path / "bad.yaml"))
    found = lint(yaml.safe_load((tmp_path / "bad.yaml").read_text()), cluster=False, mutable_images=True)
    assert [(f.task, f.value) for f in found] == [
        ("exec-bad", "installs packages when it runs"),
        ("comp-bad.config", "parameter of type STRUCT"),
    ]


def test_compile_ends_with_1_for_a_cluster_whose_tasks_lack_limits(tmp_path: Path) -> None:
    profile = yaml.safe_load(Path("profiles/gke.yaml").read_text())
    del profile["tasks"], profile["placement"]["base"]
    (tmp_path / "bare.yaml").write_text(yaml.safe_dump(profile))
    command = ["compile", "recipes/tiny.yaml", "--profile", str(tmp_path / "bare.yaml"), "-o", str(tmp_path)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert "preflight: no limit of memory; give its image role memory under `placement` in the profile" in done.output
    assert "sft: no timeout; set tasks.timeout_s in the profile" in done.output
