"""The verifier learns from the newest rollouts, as many right as wrong of each question."""

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from hexad.records import Rollout, Status, Verdict
from hexad.verifier.balance import balanced
from hexad.verifier.config import VerifierConfig

STATUSES = st.sampled_from(("correct", "incorrect", "no_answer", "error"))
GRADED = st.lists(st.tuples(st.sampled_from("pqr"), STATUSES), max_size=60)
ALL = VerifierConfig(rollout_share=1.0)


def rollouts(graded: list[tuple[str, Status]]) -> list[Rollout]:
    return [
        Rollout(
            prompt_id=question, sample=number, seed=0, response="", finish_reason="stop", tokens=1,
            verdict=Verdict(status=status, score=None, version="1"),
        )
        for number, (question, status) in enumerate(graded)
    ]  # fmt: skip


@given(GRADED)
def test_every_question_has_as_many_right_as_wrong(graded: list[tuple[str, Status]]) -> None:
    right: dict[str, int] = defaultdict(int)
    for rollout in balanced(rollouts(graded), ALL, seed=1):
        right[rollout.prompt_id] += 1 if rollout.verdict.status == "correct" else -1
    assert not any(right.values())


@given(GRADED)
def test_every_question_with_both_kinds_is_used_and_no_other(graded: list[tuple[str, Status]]) -> None:
    used = {r.prompt_id for r in balanced(rollouts(graded), ALL, seed=1)}
    kinds = {(question, status == "correct") for question, status in graded if status != "error"}
    assert used == {question for question, _ in kinds if {(question, True), (question, False)} <= kinds}


@given(GRADED)
def test_a_rollout_comes_up_three_times_at_most_and_never_without_a_verdict(graded: list[tuple[str, Status]]) -> None:
    chosen = balanced(rollouts(graded), ALL, seed=1)
    assert max(Counter(r.sample for r in chosen).values(), default=0) <= 3
    assert "error" not in {r.verdict.status for r in chosen}


def test_only_the_newest_share_is_used() -> None:
    graded = [(f"q{number // 2}", ("correct", "incorrect")[number % 2]) for number in range(100)]
    chosen = balanced(rollouts(graded), VerifierConfig(rollout_share=0.24), seed=1)
    assert {r.sample for r in chosen} == set(range(76, 100))


def test_no_more_than_the_recipe_allows() -> None:
    graded = [(f"q{number // 2}", ("correct", "incorrect")[number % 2]) for number in range(100)]
    assert len(balanced(rollouts(graded), ALL.model_copy(update={"max_rollouts": 16}), 1)) == 16


def test_one_kind_alone_teaches_nothing() -> None:
    assert balanced(rollouts([("q", "correct")] * 10), ALL, seed=1) == []


def test_the_newest_share_decides_even_where_older_rollouts_have_both_kinds() -> None:
    graded = [("q", "incorrect")] * 50 + [("q", "correct")] * 50
    assert balanced(rollouts(graded), VerifierConfig(rollout_share=0.5), seed=1) == []


def test_the_order_is_mixed_and_the_same_for_one_seed() -> None:
    rows = rollouts([("q", "correct")] * 20 + [("q", "incorrect")] * 20)
    first = balanced(rows, ALL, seed=1)
    assert first == balanced(rows, ALL, seed=1)
    assert len({r.verdict.status for r in first[:10]}) == 2
