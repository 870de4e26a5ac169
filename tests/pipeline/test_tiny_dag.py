"""The whole DAG from compiled YAML, on real parts: killed, resumed, cached, computed again."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from hexad.records import Summary
from hexad.stage.boxes import SECTIONS

from .conftest import TinyRun

pytestmark = [pytest.mark.dag, pytest.mark.engine]


def test_a_run_that_was_killed_goes_on_to_its_end(tiny_run: TinyRun) -> None:
    assert tiny_run.resumed.code == 0, tiny_run.resumed.output


def test_the_killed_stage_had_left_no_tree(tiny_run: TinyRun) -> None:
    assert tiny_run.killed_in not in tiny_run.trees_at_kill


def test_what_was_committed_before_the_kill_is_not_computed_again(tiny_run: TinyRun) -> None:
    assert tiny_run.summary["stages"]["curate"]["status"] == "cached"
    assert tiny_run.summary["stages"]["sft"]["status"] == "done"


def test_summary_follows_its_schema_and_names_every_stage(tiny_run: TinyRun) -> None:
    summary = Summary.model_validate_json((tiny_run.folder / "summary.json").read_bytes())
    assert set(SECTIONS) - {"preflight"} <= set(summary.stages)


def test_every_cell_of_the_recipe_has_a_score(tiny_run: TinyRun) -> None:
    expected = {"base", "sft", "rlvr", "rlvr+plan", "rlvr+bo3", "rlvr+plan+bo3"}
    assert expected <= set(tiny_run.summary["scores"])


def test_held_out_questions_cover_six_domains(tiny_run: TinyRun) -> None:
    domains = set(tiny_run.summary["scores"]["base"]) - {"all", "macro"}
    assert domains == {"math", "code", "science", "logic", "simulation", "tabular"}


def test_speculation_was_measured_by_the_engine_itself(tiny_run: TinyRun) -> None:
    assert tiny_run.summary["speculative"]["acceptance_length"] >= 1.0


@pytest.mark.browser
def test_the_report_opens_in_a_browser(tiny_run: TinyRun, tmp_path: Path) -> None:
    picture = tmp_path / "report.png"
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-quic", "--window-size=1200,2400",
        f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}",
    ]  # fmt: skip
    page = (tiny_run.folder / "report.html").as_uri()
    subprocess.run(["chromium", *flags, page], check=True, capture_output=True, timeout=120)
    assert picture.stat().st_size > 20_000


def test_running_again_computes_nothing_and_takes_less_than_a_minute(tiny_run: TinyRun) -> None:
    before = (tiny_run.folder / "summary.json").read_text()
    again = tiny_run.again()
    assert again.code == 0, again.output
    assert again.seconds < 60
    assert all(s["status"] == "cached" for name, s in tiny_run.summary["stages"].items() if name != "preflight")
    assert json.loads(before)["scores"] == tiny_run.summary["scores"]


def test_from_a_stage_computes_it_and_what_follows(tiny_run: TinyRun) -> None:
    again = tiny_run.again("--from", "gate")
    assert again.code == 0, again.output
    states = {name: s["status"] for name, s in tiny_run.summary["stages"].items()}
    assert states["gate"] == states["report"] == "done"
    assert states["evaluate"] == "cached"


def test_nothing_goes_on_computing_after_a_kill(tiny_run: TinyRun) -> None:
    time.sleep(0.5)
    running = subprocess.run(["pgrep", "-f", str(tiny_run.folder)], capture_output=True, text=True, check=False).stdout
    assert running.split() == []
