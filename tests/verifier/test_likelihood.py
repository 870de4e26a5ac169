"""How likely a policy finds responses, against its logits taken all at once."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from hexad.chat import prompt_text
from hexad.chat.template import END_OF_TURN
from hexad.records import Message
from hexad.verifier import likelihood
from hexad.verifier.config import BATCH_ROWS, BATCH_TOKENS
from hexad.verifier.likelihood import Policy, batches

BASE = Path(__file__).parents[2] / "models" / "quickstart-base"
QUESTION = [Message(role="user", content="What is 17 + 25?")]
RESPONSES = ["<think>\n17 + 25 = 42\n</think>\n<answer>\n42\n</answer>", "7", "no idea, none at all"]
PAIRS = [(QUESTION, response) for response in RESPONSES]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In float32: in the base's bfloat16 the shape of a batch shows in the third digit."""
    folder = tmp_path_factory.mktemp("policy")
    AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32).save_pretrained(folder)
    AutoTokenizer.from_pretrained(BASE).save_pretrained(folder)
    return folder


def by_hand(model: Path, response: str) -> list[float]:
    """Log-probability of each token after the question."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    asked = prompt_text(QUESTION)
    ids = tokenizer(asked + response + END_OF_TURN, add_special_tokens=False)["input_ids"]
    first = len(tokenizer(asked, add_special_tokens=False)["input_ids"])
    with torch.no_grad():
        logs = AutoModelForCausalLM.from_pretrained(model)(torch.tensor([ids])).logits[0].log_softmax(-1)
    return [float(logs[place - 1, ids[place]]) for place in range(first, len(ids))]


def test_features_are_mean_and_sum_over_the_response_and_its_end_of_turn(model: Path) -> None:
    expected = [(np.mean(logs), np.sum(logs)) for logs in (by_hand(model, response) for response in RESPONSES)]
    assert Policy(model, 512).features(PAIRS) == pytest.approx(np.array(expected), rel=1e-4)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_response_is_as_likely_alone_as_in_a_batch(model: Path, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Policy(model, 512).features(PAIRS)
    monkeypatch.setattr(likelihood, "BATCH_ROWS", rows)
    assert Policy(model, 512).features(PAIRS) == pytest.approx(together, rel=1e-4)


def test_few_logits_at_a_time_give_the_same(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Policy(model, 512).features(PAIRS)
    monkeypatch.setattr(likelihood, "_POSITIONS", 5)
    assert Policy(model, 512).features(PAIRS) == pytest.approx(together, rel=1e-4)


def test_of_a_long_response_only_the_end_is_read(model: Path) -> None:
    policy = Policy(model, 12)
    mean, total = policy.features([(QUESTION, "1 2 3 " * 40)])[0]
    assert round(total / mean) == 11  # the first of 12 tokens has nothing before it


def test_an_empty_response_has_the_end_of_turn(model: Path) -> None:
    mean, total = Policy(model, 512).features([(QUESTION, "")])[0]
    assert mean == total < 0


def test_progress_ends_at_one(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    monkeypatch.setattr(likelihood, "BATCH_ROWS", 2)
    Policy(model, 512).features(PAIRS, lambda fraction, note: told.append(fraction))
    assert told == [pytest.approx(2 / 3), 1.0]


@given(st.lists(st.integers(1, 2 * BATCH_TOKENS), max_size=150))
def test_a_batch_holds_so_many_rows_and_padded_tokens_at_most_or_one_longer_row(lengths: list[int]) -> None:
    made = list(batches(lengths))
    assert sorted(row for batch in made for row in batch) == list(range(len(lengths)))
    for batch in made:
        assert len(batch) <= BATCH_ROWS
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= BATCH_TOKENS
