"""A scorer reads what its verifier was fitted on: as many tokens, cut at the same end."""

import shutil
from pathlib import Path

import pytest

from hexad.records import Message
from hexad.verifier.head import FILE, Head
from hexad.verifier.scorer import Scorer

BASE = Path(__file__).parents[2] / "models" / "quickstart-base"
QUESTION = [Message(role="user", content="12 + 30 = ?")]


def scorer(max_tokens: int, folder: Path) -> Scorer:
    shutil.copytree(BASE, folder / "model")
    head = Head(bias=0.0, mean=1.0, total=0.0, max_tokens=max_tokens)
    (folder / "model" / FILE).write_text(head.model_dump_json())
    return Scorer(folder / "model")


@pytest.mark.parametrize(("max_tokens", "sees_the_beginning"), [(64, False), (4096, True)])
def test_the_beginning_counts_as_far_as_the_fit_saw_it(
    max_tokens: int, sees_the_beginning: bool, tmp_path: Path
) -> None:
    long = "1 + 1 = 2. " * 200  # more than a thousand tokens, fewer than 4,096
    first, second = scorer(max_tokens, tmp_path).score([QUESTION] * 2, [f"yes {long}", f"no {long}"])
    assert (first != second) == sees_the_beginning


def test_scores_are_in_the_order_of_the_responses(tmp_path: Path) -> None:
    likely, unlikely = "<think>\n12 + 30 = 42\n</think>\n<answer>\n42\n</answer>", "zzzzzzzzzz"
    both = scorer(512, tmp_path).score([QUESTION] * 2, [unlikely, likely])
    assert both[0] < both[1]
