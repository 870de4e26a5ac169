"""Every generator of reasoning-gym either gives prompts that our grader judges, or says why it gives none."""

import pytest
from pydantic import ValidationError
from reasoning_gym.factory import DATASETS

from hexad.curation.config import GeneratedConfig
from hexad.curation.reasoning_gym.adapters import ADAPTERS, UNSUITED
from hexad.curation.reasoning_gym.draw import INSTRUCTION, draw
from hexad.grading import grade, is_correct
from hexad.grading.grade import spelled
from hexad.records import Prompt

EACH = 4


def test_every_generator_is_adapted_or_refused_with_a_reason() -> None:
    assert set(ADAPTERS) | set(UNSUITED) == set(DATASETS)
    assert not set(ADAPTERS) & set(UNSUITED)


@pytest.mark.parametrize("name", ADAPTERS)
def test_golds_of_a_generator_are_accepted_and_nothing_else_is(name: str) -> None:
    prompts = [row for row in draw({name: EACH}, 5) if isinstance(row, Prompt)]
    assert len(prompts) == EACH
    for prompt in prompts:
        assert is_correct(grade(prompt, f"<answer>{spelled(prompt.gold)}</answer>"))
        for other in prompts:
            if other.gold.value != prompt.gold.value:
                assert not is_correct(grade(prompt, f"<answer>{spelled(other.gold)}</answer>"))


@pytest.mark.parametrize("name", ADAPTERS)
def test_repeating_the_question_is_never_paid(name: str) -> None:
    for prompt in draw({name: EACH}, 5):
        assert isinstance(prompt, Prompt)
        question = prompt.prompt[0].content.removesuffix(INSTRUCTION)
        assert not is_correct(grade(prompt, f"<answer>{question}</answer>"))
        assert not is_correct(grade(prompt, question.rstrip("=? ")))


def test_the_same_seed_draws_the_same_questions() -> None:
    assert list(draw({"chain_sum": 5}, 1)) == list(draw({"chain_sum": 5}, 1)) != list(draw({"chain_sum": 5}, 2))


@pytest.mark.parametrize(("name", "says"), [("chainsum", "there are .*chain_sum"), ("n_queens", "several answers")])
def test_a_recipe_with_another_generator_is_told_why(name: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        GeneratedConfig(reasoning_gym={name: 3})
