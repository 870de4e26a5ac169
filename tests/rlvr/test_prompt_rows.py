"""Prompts for the trainer: one long epoch, each pass reshuffled, long prompts left out."""

from collections import Counter

import pytest
from transformers import PreTrainedTokenizerFast

from hexad.chat import prompt_text
from hexad.pretraining.tokenizer import train_tokenizer
from hexad.records import Gold, Message, Prompt
from hexad.rlvr.config import RlvrConfig
from hexad.rlvr.train import prompt_rows

CONFIG = RlvrConfig(steps=5, prompts_per_step=4, max_prompt_tokens=100)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(["what is 1 + 2?"], 300)


def prompts(count: int, question: str = "1 + 2?") -> list[Prompt]:
    return [
        Prompt(
            id=f"{question[:1]}{number}", domain="math", source="test", revision="1", grader="math",
            prompt=[Message(role="user", content=question)], gold=Gold(value=3),
        )
        for number in range(count)
    ]  # fmt: skip


def ids(rows: list[str]) -> list[str]:
    return [Prompt.model_validate_json(row).id for row in rows]


def test_there_are_as_many_rows_as_the_steps_need_and_each_pass_uses_every_prompt(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    drawn = ids(prompt_rows(prompts(8), tokenizer, CONFIG, seed=1)["row"])
    assert len(drawn) == 20
    assert Counter(drawn[:8]) == Counter(drawn[8:16]) == Counter(p.id for p in prompts(8))
    assert drawn[:8] != drawn[8:16]


def test_rows_hold_the_rendered_prompt_and_what_the_grader_needs(tokenizer: PreTrainedTokenizerFast) -> None:
    rows = prompt_rows(prompts(8), tokenizer, CONFIG, seed=1)
    first = Prompt.model_validate_json(rows["row"][0])
    assert rows["prompt"][0] == prompt_text(first.prompt)
    assert first in prompts(8)


def test_the_same_seed_gives_the_same_order(tokenizer: PreTrainedTokenizerFast) -> None:
    orders = [ids(prompt_rows(prompts(8), tokenizer, CONFIG, seed)["row"]) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_prompts_over_the_limit_are_left_out(tokenizer: PreTrainedTokenizerFast) -> None:
    mixed = prompts(5) + prompts(5, "x" * 200)
    assert {name[0] for name in ids(prompt_rows(mixed, tokenizer, CONFIG, seed=1)["row"])} == {"1"}


def test_too_few_prompts_is_an_error_that_names_the_mend(tokenizer: PreTrainedTokenizerFast) -> None:
    mixed = prompts(3) + prompts(5, "x" * 200)
    with pytest.raises(
        ValueError,
        match="3 of 8 prompts have at most 100 tokens, fewer than prompts_per_step 4; "
        "raise max_prompt_tokens or curate more prompts",
    ):
        prompt_rows(mixed, tokenizer, CONFIG, seed=1)
