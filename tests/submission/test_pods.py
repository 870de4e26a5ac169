"""What pods say, in words that name the mend."""

import json
from pathlib import Path
from typing import Any

import pytest

from hexad.submission.pods import is_driver, notes, pod_stage, why

CASES = [json.loads(line) for line in (Path(__file__).parent / "pods.jsonl").read_text().splitlines()]
NODE = "workflows.argoproj.io/node-name"


def pod(path: str = "", labels: dict[str, str] | None = None, status: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": "pod", "labels": labels or {}, "annotations": {NODE: path}}, "status": status or {}}


@pytest.mark.parametrize("row", CASES, ids=lambda row: row["case"])
def test_a_pod_says_what_it_waits_for_or_died_of(row: dict[str, Any]) -> None:
    assert why(pod("", row["pod"].get("labels"), row["pod"].get("status"))) == row["why"]


@pytest.mark.parametrize(
    ("path", "stage", "driver"),
    [
        ("hexad-x7v2m.root.exit-handler-1.sft.executor", "sft", False),
        ("hexad-x7v2m.root.exit-handler-1.sft-driver", None, True),
        ("hexad-x7v2m.root.exit-handler-1.for-loop-2.iteration-item(0:0).evaluate(0).executor", "evaluate", False),
        ("hexad-x7v2m.root.exit-handler-1.scores.executor(1)", "evaluate", False),
        ("hexad-x7v2m.root-driver", None, True),
        ("", None, False),
    ],
)
def test_a_pod_tells_its_stage_by_its_place_in_the_workflow(path: str, stage: str | None, driver: bool) -> None:
    assert pod_stage(pod(path)) == stage
    assert is_driver(pod(path)) == driver


def test_a_stage_is_noted_with_its_first_pod_in_trouble() -> None:
    trouble = {"phase": "Failed", "reason": "Evicted", "message": "low on disk"}
    fine = pod("w.root.sft.executor")
    found = notes([fine, pod("w.root.rlvr.executor", status=trouble), pod("w.root-driver", status=trouble)])
    assert found == {"rlvr": "Evicted: low on disk; raise its memory or disk in the profile"}


def test_a_long_message_is_cut() -> None:
    status = {"reason": "Evicted", "message": "word " * 200}
    assert len(why(pod(status=status))) < 320
