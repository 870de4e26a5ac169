"""At the end of a run: the report beside the log, and a summary that knows every stage."""

import json
import resource
import signal
from pathlib import Path

import pytest

from hexad.pipelines.local import collect
from hexad.pipelines.run_folder import RunFolder
from hexad.records import Provenance, Summary
from hexad.stage.artifact import Outcome
from hexad.storage import commit_tree, open_store

INPUTS = {"data": "curate", "sft": "sft", "policy": "rlvr", "verifier": "verifier", "draft": "drafter",
          "bundle": "serve", "scores": "scores"}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run in which only preflight, gate and report started: all others came from KFP's cache."""
    folder = RunFolder(tmp_path / "run")
    folder.progress.mkdir(parents=True)
    store = (tmp_path / "store").as_uri()
    made = tmp_path / "made"
    made.mkdir()
    empty = Summary(recipe="test", seed=1, git="abc", stages={}, scores={}, deltas=[], verifier=None, speculative=None,
                    contamination={})  # fmt: skip
    (made / "summary.json").write_text(empty.to_json())
    (made / "report.html").write_text("<p>report</p>")
    uri = f"{store}/report/1"
    digest = commit_tree(open_store(store), made, uri, Provenance(stage="report"), {}).digest
    inputs = {name: f"{store}/{stage}/1" for name, stage in INPUTS.items()}
    leave(folder, Outcome(stage="report", uri=uri, digest=digest, cached=True, inputs=inputs, metrics={}), "cached")
    gate = Outcome(stage="gate", uri=f"{store}/gate/1", digest="", cached=True, inputs={}, metrics={"promote": 1.0})
    leave(folder, gate, "cached")
    row = {"stage": "preflight", "fraction": 1.0, "note": "", "started": 1.0, "updated": 3.0, "state": "done"}
    (folder.progress / "preflight.json").write_text(json.dumps(row))
    folder.remember({"sft": 70.0, "evaluate": 40.0}, {"sft": f"{store}/sft/1", "evaluate": f"{store}/scores/1"})
    return folder


def leave(folder: RunFolder, outcome: Outcome, state: str) -> None:
    (folder.progress / f"{outcome.stage}.result.json").write_text(outcome.model_dump_json())
    row = {"stage": outcome.stage, "fraction": 1.0, "note": "", "started": 5.0, "updated": 6.0, "state": state}
    (folder.progress / f"{outcome.stage}.json").write_text(json.dumps(row))


def test_the_report_is_copied_out_of_its_tree(folder: RunFolder) -> None:
    collect(folder)
    assert folder.report.read_text() == "<p>report</p>"


def test_the_summary_names_every_stage_with_its_tree(folder: RunFolder) -> None:
    summary, _ = collect(folder)
    assert list(summary.stages) == [
        "preflight", "curate", "sft", "rlvr", "verifier", "drafter", "serve", "evaluate", "gate", "report",
    ]  # fmt: skip
    assert summary.stages["rlvr"].manifest.endswith("/rlvr/1")
    assert summary.stages["evaluate"].manifest.endswith("/scores/1")
    assert Summary.model_validate_json(folder.summary.read_bytes()) == summary


def test_a_cached_stage_keeps_the_seconds_of_the_run_that_computed_it(folder: RunFolder) -> None:
    stages = collect(folder)[0].stages
    assert (stages["sft"].status, stages["sft"].seconds) == ("cached", 70.0)
    assert (stages["evaluate"].status, stages["evaluate"].seconds) == ("cached", 40.0)
    assert (stages["preflight"].status, stages["preflight"].seconds) == ("done", 2.0)


def test_what_an_earlier_run_left_stays_whole_when_the_new_cannot_be_written(folder: RunFolder) -> None:
    folder.summary.write_text("an earlier summary")
    folder.report.write_text("an earlier report")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            collect(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, old)
    assert (folder.summary.read_text(), folder.report.read_text()) == ("an earlier summary", "an earlier report")


def test_the_gate_s_decision_is_handed_on(folder: RunFolder) -> None:
    assert collect(folder)[1] == "promote"
