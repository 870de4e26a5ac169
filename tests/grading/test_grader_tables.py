"""The research tables of inputs that others judge wrongly, row by row (policies are noted in the rows)."""

from typing import Any

import pytest
from grading_cases import prompt, rows

from hexad.grading import grade


def _id(case: dict[str, Any]) -> str:
    return str(case.get("row") or case["case"])


@pytest.mark.parametrize("case", rows("math_posttrain_6_2.jsonl"), ids=_id)
def test_math_row(case: dict[str, Any]) -> None:
    gold = {"value": case["gold"], "options": case.get("options", {})}
    response = case.get("response") or f"so \\boxed{{{case['answer']}}}"
    judged = grade(prompt("math", gold), response)
    assert judged.status == case["expect"], judged


@pytest.mark.parametrize("case", rows("math_serve_eval_5_3.jsonl"), ids=_id)
def test_math_response(case: dict[str, Any]) -> None:
    judged = grade(prompt("math", {"value": case["gold"]}), case["response"])
    assert judged.status == case["expect"], judged


@pytest.mark.parametrize("case", rows("code_posttrain_6_3.jsonl"), ids=_id)
def test_program(case: dict[str, Any]) -> None:
    judged = grade(prompt("code", case["gold"]), case["response"])
    assert judged.status == case["expect"], judged


@pytest.mark.parametrize("case", rows("other_posttrain_6_4.jsonl"), ids=_id)
def test_answer(case: dict[str, Any]) -> None:
    judged = grade(prompt(case["domain"], case["gold"]), case["response"])
    assert judged.status == case["expect"], judged
    if "score" in case:
        assert judged.score == case["score"]
