"""`hexad plan`: a table for people, JSON for tools, exit codes for scripts."""

import json
from pathlib import Path

import pytest
import typer

from hexad.cli.plan_command import plan
from hexad.planning.config import Assumptions
from hexad.planning.rows import RunPlan

TINY, LARGE = Path("recipes/tiny.yaml"), Path("recipes/k2-think-32b.yaml")


def test_the_table_has_a_line_a_stage(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert plan(TINY, "local", [], False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("│ sft ") and "2 cores" in line for line in lines)
    assert lines[-1].endswith("--json shows the assumptions")


def test_json_is_one_record_with_every_assumption(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(LARGE, "gke", ["gpu=H200", "sharded=true"], True) == 1
    found = RunPlan.model_validate_json(capsys.readouterr().out)
    assert found.parameters == 32763876352
    assert (found.assumptions.gpu, found.assumptions.sharded) == ("H200", True)
    assert {row.stage: row.devices for row in found.stages}["sft"] == "8 x H200"


def test_a_misfit_is_said_below_the_table_and_ends_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(LARGE, "kind", [], False) == 1
    assert "  sft: weights, gradients and optimizer take 262 GB" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("assume", "says"),
    [
        ("speed=9", "--assume speed=9: write NAME=VALUE; names are gpu, "),
        ("sharded", "--assume sharded: write NAME=VALUE"),
        ("usable_memory=2", "--assume usable_memory=2: Input should be less than or equal to 1"),
        ("gpu=Z9", "recipes/k2-think-32b.yaml: assumptions.gpu or unnamed_gpu is 'Z9'; known cards are H100"),
    ],
)
def test_a_bad_assumption_ends_with_two(assume: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        plan(LARGE, "gke", [assume], False)
    assert ended.value.exit_code == 2
    assert says in capsys.readouterr().err


def test_json_holds_every_field_of_the_assumptions(capsys: pytest.CaptureFixture[str]) -> None:
    plan(TINY, "local", [], True)
    assert set(json.loads(capsys.readouterr().out)["assumptions"]) == set(Assumptions.model_fields)


@pytest.mark.parametrize("name", Assumptions.model_fields)
def test_every_assumption_says_what_it_is(name: str) -> None:
    assert Assumptions.model_fields[name].description
