"""What the last task of a run removes, what it leaves to others, and how it names the culprit of a failed run."""

import os
import time
from pathlib import Path

import pytest

from hexad.cleanup.job import cause, clear, main
from hexad.pipelines.profile import load_profile
from hexad.pipelines.recipe import Recipe
from hexad.pipelines.settings import box_settings
from hexad.stage.artifact import Failure, Settings

DAY = 86400.0
RECIPE = Recipe.model_validate({"name": "test", "seed": 7, "curate": {"base": {"kind": "random"}}})


def scratch(work: Path, name: str, days_ago: float) -> Path:
    """A stage's scratch with a checkpoint that was written so long ago."""
    checkpoint = work / name / "out" / "checkpoint-10"
    checkpoint.mkdir(parents=True)
    (checkpoint / "weights").write_text("x")
    then = time.time() - days_ago * DAY
    for path in [*(work / name).rglob("*"), work / name]:
        os.utime(path, (then, then))
    return work / name


def settings(profile: str, work: Path, own: bool = False) -> str:
    """Those of cleanup. `own`: the folder is this run's alone, as on one machine."""
    made = box_settings(RECIPE, load_profile(Path(f"profiles/{profile}.yaml")), work=str(work) if own else "")
    parsed = Settings.model_validate_json(made["cleanup"])
    return parsed.model_copy(
        update={"context": parsed.context.model_copy(update={"work": str(work)})}
    ).model_dump_json()


def test_a_run_that_shares_its_claim_leaves_what_another_run_works_on(tmp_path: Path) -> None:
    at_work = scratch(tmp_path / "work", "sft/0123456789abcdef", days_ago=0.5)
    left = scratch(tmp_path / "work", "rlvr/fedcba9876543210", days_ago=30)
    main(settings("gke", tmp_path / "work"), "SUCCEEDED", "", str(tmp_path / "card"))
    assert at_work.is_dir()
    assert not left.exists()


@pytest.mark.parametrize("profile", ["local", "gke"])
def test_a_run_with_a_folder_of_its_own_removes_all_of_it(profile: str, tmp_path: Path) -> None:
    scratch(tmp_path / "work", "sft/0123456789abcdef", days_ago=0)
    main(settings(profile, tmp_path / "work", own=True), "SUCCEEDED", "", str(tmp_path / "card"))
    assert not (tmp_path / "work").exists()


def test_a_run_that_failed_keeps_its_checkpoints(tmp_path: Path) -> None:
    kept = scratch(tmp_path / "work", "sft/0123456789abcdef", days_ago=30)
    main(settings("gke", tmp_path / "work"), "FAILED", "sft: out of memory", str(tmp_path / "card"))
    assert kept.is_dir()
    assert "sft: out of memory" in (tmp_path / "card").read_text()


def test_one_new_file_keeps_an_old_folder(tmp_path: Path) -> None:
    old = scratch(tmp_path, "sft/0123456789abcdef", days_ago=30)
    (old / "out" / "log.jsonl").write_text("step 11\n")
    clear(tmp_path, 7 * DAY, time.time())
    assert (old / "out" / "checkpoint-10" / "weights").is_file()


@pytest.mark.parametrize(
    ("kind", "message", "told"),
    [
        ("DiskFull", "no space left", "sft: no space left"),
        ("EngineError", "vLLM ended; its log ends with:\nout of memory\n", "sft: out of memory"),
        ("AssertionError", "", "sft: AssertionError"),
    ],
)
def test_a_failure_is_told_in_one_line(kind: str, message: str, told: str) -> None:
    assert cause([Failure(stage="sft", type=kind, message=message)]) == told
