import json
from pathlib import Path

import pytest

from hexad.gateway.scaffold.plan import states_answer, usable_plan

LEAKS = [json.loads(line) for line in Path(__file__).with_name("plan_leaks.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", LEAKS, ids=lambda c: c["plan"])
def test_a_plan_that_states_an_answer_is_told_from_one_that_does_not(case: dict[str, object]) -> None:
    assert states_answer(str(case["plan"])) is case["leaks"]


def test_a_plan_is_read_from_behind_the_thinking() -> None:
    assert usable_plan("<think><plan>draft</plan></think><plan>real</plan>") == ("real", "")


@pytest.mark.parametrize("raw", ["", "no plan", "<plan>open", "<plan></plan>", "<think><plan>inside</plan>"])
def test_what_is_no_plan_is_none_with_a_reason(raw: str) -> None:
    plan, note = usable_plan(raw)
    assert plan is None
    assert note
