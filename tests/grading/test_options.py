"""Options of multiple choice questions: an order that anyone can draw again."""

from collections import Counter

import pytest
from grading_cases import answered, prompt

from hexad.grading import grade, is_correct
from hexad.grading.options import multiple_choice

WRONG = ["salt", "base", "water"]


def test_the_letter_of_the_right_option_is_the_gold_and_its_text_counts_too() -> None:
    question, gold = multiple_choice("What is HCl?", "acid", WRONG, 7, "r1")
    assert f"({gold.value}) acid" in question.splitlines()
    asked = prompt("science", gold)
    assert is_correct(grade(asked, answered(gold.value)))
    assert is_correct(grade(asked, answered("acid")))
    assert not is_correct(grade(asked, answered("salt")))


def test_the_order_depends_on_seed_and_row_alone() -> None:
    first, again = (multiple_choice("?", "acid", WRONG, 7, "r1") for _ in range(2))
    assert first == again
    orders = {multiple_choice("?", "acid", WRONG, seed, "r1")[0] for seed in range(20)}
    assert len(orders) > 5


def test_no_letter_is_favoured() -> None:
    letters = Counter(multiple_choice("?", "acid", WRONG, 7, f"r{i}")[1].value for i in range(2000))
    assert all(abs(count - 500) < 100 for count in letters.values())


@pytest.mark.parametrize(("wrong", "says"), [([], "1 options"), (["Acid "], "the same"), (list("bcdefghijk"), "11")])
def test_options_that_make_no_question_are_refused(wrong: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        multiple_choice("?", "acid", wrong, 7, "r1")
