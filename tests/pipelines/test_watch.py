"""How far a run is, read from the files that tasks leave."""

import json
from pathlib import Path

import pytest

from hexad.pipelines.console import PlainLines, line
from hexad.pipelines.watch import StageState, corpus_stages, snapshot, total_remaining


def task(folder: Path, name: str, state: str, started: float, updated: float, fraction: float = 1.0) -> None:
    row = {"stage": name, "fraction": fraction, "note": "", "started": started, "updated": updated, "state": state}
    (folder / f"{name}.json").write_text(json.dumps(row))


def by_stage(
    folder: Path, now: float = 100.0, succeeded: bool | None = None, **expected: float
) -> dict[str, StageState]:
    return {state.stage: state for state in snapshot(folder, expected, now, succeeded)}


def test_before_anything_runs_every_stage_waits(tmp_path: Path) -> None:
    assert {state.state for state in by_stage(tmp_path).values()} == {"waiting"}


def test_a_stage_without_a_file_was_cached_once_a_later_one_runs(tmp_path: Path) -> None:
    task(tmp_path, "preflight", "done", 0, 1)
    task(tmp_path, "rlvr", "running", 1, 2, 0.1)
    states = by_stage(tmp_path)
    assert [states[name].state for name in ("preflight", "curate", "sft", "rlvr", "verifier")] == [
        "done", "cached", "cached", "running", "waiting",
    ]  # fmt: skip


def test_evaluate_runs_until_its_groups_are_joined(tmp_path: Path) -> None:
    for group in ("base", "sft", "served", "speculative"):
        task(tmp_path, f"evaluate-{group}", "done", 10, 60)
    assert by_stage(tmp_path)["evaluate"].state == "running"
    task(tmp_path, "scores", "done", 60, 70)
    assert by_stage(tmp_path)["evaluate"] == StageState("evaluate", "done", 1.0, elapsed=60.0)


def test_a_stage_in_shards_runs_until_all_of_them_are_done(tmp_path: Path) -> None:
    def clean() -> StageState:
        return snapshot(tmp_path, {}, 100.0, None, corpus_stages(3))[1]

    task(tmp_path, "corpus_parts", "done", 0, 1)
    assert clean().state == "waiting"
    task(tmp_path, "corpus_clean-0", "running", 1, 9, 0.5)
    task(tmp_path, "corpus_clean-2", "done", 2, 5)
    assert (clean().state, clean().fraction) == ("running", 0.5)
    task(tmp_path, "corpus_clean-0", "done", 1, 11)
    task(tmp_path, "corpus_clean-1", "cached", 1, 2)
    assert clean() == StageState("clean", "done", 1.0, elapsed=10.0)


def test_an_error_file_marks_its_stage_failed(tmp_path: Path) -> None:
    task(tmp_path, "evaluate-sft", "running", 10, 20, 0.5)
    (tmp_path / "evaluate-sft.error.json").write_text('{"stage": "evaluate-sft", "type": "E", "message": "m"}')
    states = by_stage(tmp_path, succeeded=False)
    assert (states["evaluate"].state, states["gate"].state) == ("failed", "waiting")


def test_a_stage_that_was_killed_without_a_word_failed(tmp_path: Path) -> None:
    task(tmp_path, "sft", "running", 10, 20, 0.5)
    assert by_stage(tmp_path)["sft"].state == "running"
    assert by_stage(tmp_path, succeeded=False)["sft"].state == "failed"


@pytest.mark.parametrize(
    ("fraction", "expected", "remaining"),
    [(0.0, 100.0, 60.0), (0.5, 100.0, 50.0), (0.5, 30.0, 40.0), (0.0, None, None), (0.01, 30.0, 0.0)],
    ids=[
        "plan at first",
        "mean of plan and rate half-way",
        "rate once the plan is overrun",
        "unknown",
        "overrun early",
    ],
)
def test_time_left_of_a_running_stage(
    fraction: float, expected: float | None, remaining: float | None, tmp_path: Path
) -> None:
    task(tmp_path, "sft", "running", 60, 99, fraction)
    plan = {"sft": expected} if expected is not None else {}
    assert by_stage(tmp_path, **plan)["sft"].remaining == remaining


def test_time_left_is_unknown_while_a_stage_is_unknown() -> None:
    known, unknown = StageState("a", "waiting", remaining=5.0), StageState("b", "waiting")
    assert total_remaining([known]) == 5.0
    assert total_remaining([known, unknown]) is None


def test_a_line_tells_share_time_note_and_time_left() -> None:
    state = StageState("sft", "running", 0.5, "step 10/20", 65.0, 65.0)
    assert line(state, 3700.0) == "sft        running  50% 1:05 step 10/20 · 1:01:40 left"


def test_plain_output_speaks_at_changes_and_every_twenty_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    lines = PlainLines(Console())
    for now in range(60):
        lines.show([StageState("sft", "running", now / 60, elapsed=float(now))], float(now))
    lines.show([StageState("sft", "done", 1.0, elapsed=60.0)], 60.0)
    assert len(capsys.readouterr().out.splitlines()) == 4
