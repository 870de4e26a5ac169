"""The plan is asked for and handed over in the last user turn, and read back as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.chat import plan_request, read_plan, with_plan
from hexad.records import Message

CONVERSATION = [
    Message(role="system", content="Be brief."),
    Message(role="user", content="What is 1 + 1?"),
    Message(role="assistant", content="2"),
    Message(role="user", content="And 2 + 2?"),
]


def test_only_the_last_user_turn_asks_for_the_plan() -> None:
    asked = plan_request(CONVERSATION)
    assert asked[:3] == CONVERSATION[:3]
    assert asked[3] == Message(role="user", content="Plan: And 2 + 2?")


def test_the_plan_stands_behind_the_last_user_turn_only() -> None:
    given_plan = with_plan(CONVERSATION, "Add them.")
    assert given_plan[:3] == CONVERSATION[:3]
    assert given_plan[3].content == "And 2 + 2?\n<plan>Add them.</plan>"


def test_turns_after_the_last_question_stay() -> None:
    turns = [*CONVERSATION, Message(role="assistant", content="It is")]
    assert with_plan(turns, "Add.")[4] == turns[4]


@given(st.text(st.characters(codec="utf-8", exclude_characters="<>"), min_size=1, max_size=2000))
def test_a_plan_handed_over_is_read_back(plan: str) -> None:
    assert read_plan(with_plan(CONVERSATION, plan)[3].content) == (plan.strip() or None)


@pytest.mark.parametrize("response", ["", "Add them.", "<plan>Add them.", "Add them.</plan>", "<plan> </plan>"])
def test_a_response_without_a_whole_plan_has_none(response: str) -> None:
    assert read_plan(response) is None


def test_the_first_whole_plan_counts_and_long_ones_are_cut() -> None:
    assert read_plan("<plan>first</plan><plan>second</plan>") == "first"
    assert read_plan(f"<plan>{'x' * 50}</plan>", limit=10) == "x" * 10


def test_a_conversation_without_a_question_is_an_error_that_names_the_mend() -> None:
    with pytest.raises(ValueError, match="no turn has the role 'user'; add the question"):
        plan_request(CONVERSATION[:1])
