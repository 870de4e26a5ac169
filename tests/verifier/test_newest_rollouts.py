"""Which rollouts a verifier is fitted on."""

from hexad.records import Rollout, Status, Verdict
from hexad.verifier.job import newest_graded


def rollouts(*statuses: Status) -> list[Rollout]:
    return [
        Rollout(
            prompt_id="q", sample=number, seed=0, response="", finish_reason="stop", tokens=1,
            verdict=Verdict(status=status, score=None, version="1"),
        )
        for number, status in enumerate(statuses)
    ]  # fmt: skip


def test_the_newest_are_taken() -> None:
    assert [r.sample for r in newest_graded(rollouts("correct", "incorrect", "correct"), 2)] == [1, 2]


def test_those_that_could_not_be_graded_are_left_out_and_do_not_count() -> None:
    assert [r.sample for r in newest_graded(rollouts("correct", "error", "no_answer"), 2)] == [0, 2]


def test_fewer_than_allowed_are_all_taken() -> None:
    assert len(newest_graded(rollouts("correct"), 5)) == 1
