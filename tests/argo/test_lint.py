"""The lint finds each fault in a template that was clean before, names where it is, and says what to do."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from hexad.argo.lint import lint
from hexad.cli.main import app

FAULTS = [json.loads(line) for line in (Path(__file__).parent / "faults.jsonl").read_text().splitlines()]


def test_the_template_that_the_faults_are_put_into_is_clean(gke: dict[str, Any]) -> None:
    assert lint(gke, cluster=True, mutable_images=False) == []


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row["fault"])
def test_a_fault_is_found_where_it_is(row: dict[str, Any], gke: dict[str, Any]) -> None:
    broken = copy.deepcopy(gke)
    first, *path, last = row["at"]
    stages = {stage["name"]: stage for stage in broken["spec"]["templates"]}
    place = broken["spec"] if first == "spec" else stages[first]
    for step in path:
        place = place[step]
    place[last] = row["value"]
    found = lint(broken, cluster=True, mutable_images=False)
    assert [finding for finding in found if row["says"] in finding.value and finding.task == row["task"]]
    assert all(finding.mend for finding in found)


def test_a_secret_is_found_anywhere_and_not_repeated(gke: dict[str, Any]) -> None:
    broken = copy.deepcopy(gke)
    # Made up here, and put together so that no scanner of this file takes it for a real one.
    token = "hf_" + "a1B2" * 9
    broken["spec"]["arguments"]["parameters"][3]["value"] = json.dumps({"config": {"note": token}})
    found = lint(broken, cluster=True, mutable_images=False)
    assert [finding.value for finding in found] == ["holds a Hugging Face token"]
    assert found[0].task == "template.spec.arguments.parameters[3].value"
    assert token not in str(found[0])


def test_compile_ends_with_1_for_a_cluster_whose_stages_lack_limits(tmp_path: Path) -> None:
    profile = yaml.safe_load(Path("profiles/gke.yaml").read_text())
    del profile["tasks"], profile["placement"]["base"]
    (tmp_path / "bare.yaml").write_text(yaml.safe_dump(profile))
    command = ["compile", "recipes/tiny.yaml", "--profile", str(tmp_path / "bare.yaml"), "--format", "argo"]
    done = CliRunner().invoke(app, [*command, "-o", str(tmp_path)])
    assert done.exit_code == 1
    assert "preflight: no limit of memory; give its image role memory under `placement` in the profile" in done.output
    assert "sft: may run as root; set tasks.run_as_non_root in the profile" in done.output
