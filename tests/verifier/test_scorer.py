"""A scorer reads what its verifier was trained to read: as many tokens, cut at the same end."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.records import Message, Rollout, Verdict
from hexad.verifier.config import VerifierConfig
from hexad.verifier.scorer import BATCH_ROWS, BATCH_TOKENS, Scorer, batches
from hexad.verifier.train import train

BASE = Path(__file__).parents[2] / "models" / "quickstart-base"
QUESTION = [Message(role="user", content="12 + 30 = ?")]


def scorer(max_tokens: int, folder: Path) -> Scorer:
    """A verifier after one step on two short rollouts, read back from its folder."""
    rollouts = [
        Rollout(
            prompt_id="q", sample=i, seed=0, response=text, finish_reason="stop", tokens=3,
            verdict=Verdict(status="correct" if i else "incorrect", score=float(i), version="1"),
        )
        for i, text in enumerate(("41", "42"))
    ]  # fmt: skip
    config = VerifierConfig(max_tokens=max_tokens, batch_rows=2)
    train(config, BASE, rollouts, [QUESTION] * 2, folder / "model", folder / "checkpoints", 1, lambda *_: None)
    return Scorer(folder / "model")


@pytest.mark.parametrize(("max_tokens", "sees_the_beginning"), [(64, False), (4096, True)])
def test_the_beginning_counts_as_far_as_training_saw_it(
    max_tokens: int, sees_the_beginning: bool, tmp_path: Path
) -> None:
    long = "1 + 1 = 2. " * 200  # more than a thousand tokens, fewer than 4,096
    first, second = scorer(max_tokens, tmp_path).score([QUESTION] * 2, [f"yes {long}", f"no {long}"])
    assert (first != second) == sees_the_beginning


@given(st.lists(st.integers(1, 2 * BATCH_TOKENS), max_size=150))
def test_a_batch_holds_so_many_rows_and_padded_tokens_at_most_or_one_longer_row(lengths: list[int]) -> None:
    made = list(batches(lengths))
    assert sorted(row for batch in made for row in batch) == list(range(len(lengths)))
    for batch in made:
        assert len(batch) <= BATCH_ROWS
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= BATCH_TOKENS
