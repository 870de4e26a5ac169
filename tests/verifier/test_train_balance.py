"""The verifier learns from the newest rollouts, as many right as wrong."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hexad.records import Rollout, Status, Verdict
from hexad.verifier.balance import balanced
from hexad.verifier.config import VerifierConfig

STATUSES = st.lists(st.sampled_from(("correct", "incorrect", "no_answer", "error")), max_size=60)
ALL = VerifierConfig(rollout_share=1.0)


def rollouts(statuses: list[Status]) -> list[Rollout]:
    return [
        Rollout(
            prompt_id=f"p{number}", sample=0, seed=0, response="", finish_reason="stop", tokens=1,
            verdict=Verdict(status=status, score=None, version="1"),
        )
        for number, status in enumerate(statuses)
    ]  # fmt: skip


@given(STATUSES)
def test_right_and_wrong_are_as_many_as_the_rarer_kind(statuses: list[Status]) -> None:
    chosen = balanced(rollouts(statuses), ALL, seed=1)
    counted = Counter(statuses)
    rarer = min(counted["correct"], counted["incorrect"] + counted["no_answer"])
    assert sum(r.verdict.status == "correct" for r in chosen) == rarer
    assert len(chosen) == 2 * rarer


@given(STATUSES)
def test_a_rollout_is_used_once_and_never_without_a_verdict(statuses: list[Status]) -> None:
    chosen = balanced(rollouts(statuses), ALL, seed=1)
    assert len({r.prompt_id for r in chosen}) == len(chosen)
    assert "error" not in {r.verdict.status for r in chosen}


def test_only_the_newest_share_is_used() -> None:
    chosen = balanced(rollouts(["correct", "incorrect"] * 50), VerifierConfig(rollout_share=0.25), seed=1)
    assert {int(r.prompt_id[1:]) for r in chosen} <= set(range(75, 100))
    assert len(chosen) == 24


def test_no_more_than_the_recipe_allows() -> None:
    assert len(balanced(rollouts(["correct", "incorrect"] * 50), ALL.model_copy(update={"max_rollouts": 16}), 1)) == 16


def test_one_kind_alone_teaches_nothing() -> None:
    assert balanced(rollouts(["correct"] * 10), ALL, seed=1) == []


def test_the_newest_share_decides_even_where_older_rollouts_have_both_kinds() -> None:
    assert balanced(rollouts(["incorrect"] * 50 + ["correct"] * 50), VerifierConfig(rollout_share=0.5), seed=1) == []


def test_the_order_is_mixed_and_the_same_for_one_seed() -> None:
    rows = rollouts(["correct"] * 20 + ["incorrect"] * 20)
    first = balanced(rows, ALL, seed=1)
    assert first == balanced(rows, ALL, seed=1)
    assert len({r.verdict.status for r in first[:10]}) == 2
