"""Stages of a run, from the tasks that Kubeflow names."""

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from hexad.stage.boxes import GROUPS, SECTIONS
from hexad.submission.again import again_from, parameters_of
from hexad.submission.answers import Run, Version
from hexad.submission.picture import LineView, table
from hexad.submission.run_state import CORPUS_STAGES, StageView, stages

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def task(name: str, state: str, begin: int = 0, end: int | None = None, **more: Any) -> dict[str, Any]:
    times = {"start_time": f"2026-01-01T11:{begin:02}:00Z"} | (
        {} if end is None else {"end_time": f"2026-01-01T11:{end:02}:00Z"}
    )
    return {"display_name": name, "state": state, **times, **more}


def run(*tasks: dict[str, Any], state: str = "RUNNING") -> Run:
    return Run.model_validate({"run_id": "r", "state": state, "run_details": {"task_details": list(tasks)}})


def stage(found: list[StageView], name: str) -> StageView:
    return next(view for view in found if view.stage == name)


@pytest.mark.parametrize(
    ("tasks", "over", "expected"),
    [
        ([], "RUNNING", "waiting"),
        ([], "FAILED", "stopped"),
        ([task("sft", "PENDING")], "RUNNING", "waiting"),
        ([task("sft", "RUNNING")], "RUNNING", "running"),
        ([task("sft", "SUCCEEDED", 0, 9)], "RUNNING", "done"),
        ([task("sft", "CACHED", 0, 0)], "RUNNING", "cached"),
        ([task("sft", "FAILED", 0, 9)], "FAILED", "failed"),
        ([task("sft", "RUNNING")], "CANCELED", "stopped"),
        ([task("sft", "CANCELED", 0, 9)], "CANCELED", "stopped"),
        ([task("sft-driver", "SUCCEEDED", 0, 1), task("executor", "FAILED")], "RUNNING", "waiting"),
        ([task("sft", "A_STATE_OF_THE_FUTURE")], "RUNNING", "waiting"),
    ],
)
def test_a_stage_has_the_state_of_its_task(tasks: list[dict[str, Any]], over: str, expected: str) -> None:
    assert stage(stages(run(*tasks, state=over), NOW, {}), "sft").state == expected


def test_every_stage_is_there_in_the_order_of_the_pipeline() -> None:
    assert tuple(view.stage for view in stages(run(), NOW, {})) == SECTIONS


@pytest.mark.parametrize("name", ["register", "cleanup"])
def test_a_run_that_failed_after_its_stages_says_where(name: str) -> None:
    failed = task(name, "FAILED", 0, 9, error={"message": "no answer from the registry"})
    found = stages(run(task("report", "SUCCEEDED", 0, 1), failed, state="FAILED"), NOW, {})
    assert (stage(found, name).state, stage(found, name).note) == ("failed", "no answer from the registry")


def test_times_run_until_now_or_the_end() -> None:
    found = stages(run(task("curate", "SUCCEEDED", 0, 10), task("sft", "RUNNING", 50)), NOW, {})
    assert stage(found, "curate").seconds == 600
    assert stage(found, "sft").seconds == 600


def test_evaluation_is_done_when_all_its_groups_and_the_join_are() -> None:
    groups = [task("evaluate", "SUCCEEDED", 0, 5) for _ in GROUPS]
    partly = stage(stages(run(*groups[:2], task("evaluate", "RUNNING")), NOW, {}), "evaluate")
    assert (partly.state, partly.note) == ("running", "2 of 5 tasks done")
    assert stage(stages(run(*groups), NOW, {}), "evaluate").state == "running"
    assert stage(stages(run(*groups, task("scores", "SUCCEEDED", 5, 6)), NOW, {}), "evaluate").state == "done"


def test_pods_say_why_and_kubeflow_where_they_do_not() -> None:
    failed = task("sft", "FAILED", 0, 9, error={"message": "task\nfailed"})
    assert stage(stages(run(failed), NOW, {}), "sft").note == "task failed"
    assert stage(stages(run(failed), NOW, {"sft": "OOMKilled"}), "sft").note == "OOMKilled"
    assert stage(stages(run(task("sft", "PENDING")), NOW, {"sft": "waits"}), "sft").note == "waits"
    assert stage(stages(run(task("sft", "SUCCEEDED", 0, 1)), NOW, {"sft": "old news"}), "sft").note == ""


def test_lines_tell_each_change_once() -> None:
    console = Console(width=200, force_terminal=False)
    with console.capture() as shown:
        view = LineView(console)
        for note in ("", "Unschedulable: no [gpu]", "Unschedulable: no [gpu]"):
            view.show(run(), [StageView("sft", "waiting", None, note)], "")
        for _ in range(2):
            view.show(run(), [StageView("sft", "running", 61.0)], "")
    assert shown.get().splitlines() == ["sft        waiting  Unschedulable: no [gpu]", "sft        running 1:01"]


def test_the_table_shows_states_reasons_and_the_log_as_they_are() -> None:
    console = Console(width=120, force_terminal=False)
    with console.capture() as shown:
        console.print(table([StageView("sft", "running", 61.0, "[bold]not markup[/]")], "step 1\nloss [0.5]"))
    assert "sft    running  1:01  [bold]not markup[/]" in shown.get()
    assert "loss [0.5]" in shown.get()


def test_parameters_are_the_versions_defaults_under_the_runs_own() -> None:
    spec = {"root": {"inputDefinitions": {"parameters": {"a": {"defaultValue": 1}, "b": {"defaultValue": 2}, "c": {}}}}}
    old = Run.model_validate({"run_id": "r", "runtime_config": {"parameters": {"b": 3}}})
    for shape in (spec, {"pipeline_spec": spec, "platform_spec": {}}):
        version = Version(pipeline_id="p", pipeline_version_id="v", pipeline_spec=shape)
        assert parameters_of(old, version) == {"a": 1, "b": 3}


def test_parameters_that_are_not_hexads_are_refused() -> None:
    with pytest.raises(KeyError, match="evaluate"):
        again_from({"message": "hello"}, "evaluate", 1)


def test_a_run_of_the_corpus_pipeline_has_its_own_stages() -> None:
    shards = [task("corpus-clean", "SUCCEEDED", 1, 5), task("corpus-clean", "RUNNING", 1)]
    found = stages(run(task("corpus-parts", "SUCCEEDED", 0, 1), *shards), NOW, {})
    assert tuple(view.stage for view in found) == CORPUS_STAGES
    assert [view.state for view in found] == ["done", "running", "waiting", "waiting", "waiting"]
