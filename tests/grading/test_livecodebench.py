"""LiveCodeBench's own verdicts, and honest ones, program by program; where they part is part of the table."""

from typing import Any

import pytest
from grading_cases import prompt, rows

from hexad.grading import grade
from hexad.grading.livecodebench import disagreements
from hexad.records import Gold

CASES = rows("livecodebench.jsonl")


def gold(case: dict[str, Any], mode: str = "honest") -> Gold:
    options = {"mode": mode} | ({"name": case["name"]} if case["name"] else {})
    return Gold.model_validate({"value": case["tests"], "type": "livecodebench", "options": options})


@pytest.mark.parametrize("mode", ["official", "honest"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_program(case: dict[str, Any], mode: str) -> None:
    judged = grade(prompt("code", gold(case, mode)), f"```python\n{case['program']}\n```")
    assert judged.status == case[mode], judged


def test_the_programs_that_the_modes_judge_differently_are_listed() -> None:
    quick = [case for case in CASES if case["case"] != "busy for ever"]
    found = disagreements([(case["case"], gold(case), case["program"]) for case in quick])
    assert [d.row for d in found] == [case["case"] for case in quick if case["official"] != case["honest"]]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"value": []}, "no tests"),
        ({"value": [["1"]]}, "test 1 is no pair"),
        ({"value": [["1", "2"]], "options": {"mode": "fair"}}, "write official or honest"),
        ({"value": [["x", "2"]], "options": {"name": "f"}}, "no JSON"),
    ],
)
def test_a_suite_that_judges_nothing_is_an_error(broken: dict[str, Any], says: str) -> None:
    judged = grade(prompt("code", {"type": "livecodebench", **broken}), "def f(x): return 2")
    assert (judged.status, judged.score) == ("error", None)
    assert says in judged.detail
