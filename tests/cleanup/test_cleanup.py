"""The last task names the culprit of a failed run, and keeps the scratch from which the next one resumes."""

from pathlib import Path

import pytest

from hexad.cleanup.job import cause, main
from hexad.stage import Context
from hexad.stage.artifact import Failure, Settings


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


@pytest.mark.parametrize(("state", "kept"), [("SUCCEEDED", False), ("FAILED", True)])
def test_scratch_goes_after_success_alone(state: str, kept: bool, tmp_path: Path) -> None:
    scratch = tmp_path / "work" / "checkpoint"
    scratch.mkdir(parents=True)
    context = Context(run="test", store="file:///none", work=str(tmp_path / "work"))
    main(Settings(context=context).model_dump_json(), state, "why", str(tmp_path / "card.md"))
    assert scratch.exists() == kept
