import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexad.gateway.config import Selector
from hexad.gateway.select import Ballot, Selection, group_ballots, select, tier

from .conftest import by_text

CASES = [json.loads(line) for line in Path(__file__).with_name("select.jsonl").read_text().splitlines()]
SELECTORS = st.sampled_from(["hybrid", "majority", "verifier"])
BALLOTS = st.lists(
    st.builds(
        Ballot,
        text=st.text(max_size=3),
        answer=st.sampled_from([None, "1", "2"]),
        visible=st.booleans(),
        truncated=st.booleans(),
        score=st.sampled_from([None, 0.1, 0.2, 0.3, 0.6]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda ballot: ballot.text,  # equal texts get equal scores, and which of them wins cannot be seen
)


def choose(ballots: list[Ballot], selector: Selector, seed: int) -> Selection:
    return select(ballots, group_ballots(ballots, by_text), selector, seed)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["case"])
def test_the_table_of_votes(case: dict[str, Any]) -> None:
    count = len(case["answers"])
    texts = case.get("texts", [f"{i}: {a}" for i, a in enumerate(case["answers"])])
    ballots = [
        Ballot(text=text, answer=answer, visible=bool(text), truncated=truncated, score=score)
        for text, answer, truncated, score in zip(
            texts, case["answers"], case.get("truncated", [False] * count), case["scores"], strict=True
        )
    ]
    for seed in range(5):
        chosen = ballots[choose(ballots, case["selector"], seed).index]
        assert case["wins"] in (chosen.answer, chosen.text)


@settings(max_examples=100, deadline=None)
@given(BALLOTS, SELECTORS, st.integers(), st.randoms())
def test_the_order_of_candidates_does_not_matter(
    ballots: list[Ballot], selector: Selector, seed: int, random: Any
) -> None:
    shuffled = random.sample(ballots, len(ballots))
    first = ballots[choose(ballots, selector, seed).index]
    second = shuffled[choose(shuffled, selector, seed).index]
    assert first == second


@settings(max_examples=100, deadline=None)
@given(BALLOTS, SELECTORS, st.integers())
def test_no_worse_tier_ever_wins(ballots: list[Ballot], selector: Selector, seed: int) -> None:
    chosen = ballots[choose(ballots, selector, seed).index]
    assert tier(chosen) == min(map(tier, ballots))


def test_a_three_way_tie_is_uniform_over_seeds() -> None:
    ballots = [Ballot(text=t, answer=t, visible=True, truncated=False, score=0.5) for t in "abc"]
    wins = Counter(choose(ballots, "hybrid", seed).index for seed in range(3000))
    assert all(abs(wins[i] - 1000) < 120 for i in range(3))  # 120 is 4.6 standard deviations


def test_the_reason_names_rule_agreement_and_tie() -> None:
    ballots = [Ballot(text=t, answer=t, visible=True, truncated=False) for t in "ab"]
    assert choose(ballots, "majority", 1).reason == "majority: 1 of 2 agree, tie broken by seed"


def test_no_candidates_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one candidate"):
        select([], [], "majority", 0)
