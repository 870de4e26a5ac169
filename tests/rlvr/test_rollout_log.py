"""The rollout log survives kills: a resumed run has every step once, as it was last written."""

from pathlib import Path

import pytest

from hexad.grading.rewards import Graded
from hexad.records import Gold, Message, Prompt, Rollout, Verdict
from hexad.rlvr.rollout_log import RolloutLog


def prompt(name: str) -> Prompt:
    question = [Message(role="user", content="?")]
    return Prompt(
        id=name, domain="math", source="test", revision="1", prompt=question, gold=Gold(value=1), grader="math"
    )


def write(log: RolloutLog, step: int, responses: dict[str, list[str]]) -> None:
    verdict = Verdict(status="correct", score=1.0, version="1")
    log.append([Graded(prompt(n), text, verdict, True, 3) for n, texts in responses.items() for text in texts], step)


def responses(found: list[Rollout]) -> list[str]:
    return [rollout.response for rollout in found]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rollouts.jsonl"


def test_no_log_is_no_rollouts(path: Path) -> None:
    assert RolloutLog(path, 0).read() == []


def test_rollouts_come_back_in_the_order_of_their_steps_with_what_was_known_of_them(path: Path) -> None:
    log = RolloutLog(path, seed=7)
    write(log, 0, {"a": ["a0", "a1"], "b": ["b0"]})
    write(log, 1, {"a": ["later"]})
    found = log.read()
    assert [(r.prompt_id, r.sample, r.response) for r in found] == [
        ("a", 0, "a0"), ("a", 1, "a1"), ("b", 0, "b0"), ("a", 0, "later"),
    ]  # fmt: skip
    assert {(r.seed, r.tokens, r.finish_reason, r.verdict.status) for r in found} == {(7, 3, "stop", "correct")}


def test_a_rollout_that_never_ended_was_cut_at_the_token_limit(path: Path) -> None:
    log = RolloutLog(path, 0)
    verdict = Verdict(status="no_answer", score=0.0, version="1")
    log.append([Graded(prompt("a"), "and so", verdict, finished=False, tokens=128)], 0)
    assert log.read()[0].finish_reason == "length"


def test_steps_repeated_after_a_resume_keep_the_last_writing(path: Path) -> None:
    killed = RolloutLog(path, 0)
    for step in range(4):
        write(killed, step, {"a": [f"old {step}"]})
    resumed = RolloutLog(path, 0)
    for step in range(2, 5):
        write(resumed, step, {"a": [f"new {step}"]})
    assert responses(resumed.read()) == ["old 0", "old 1", "new 2", "new 3", "new 4"]


def test_a_resume_at_the_very_step_that_was_killed_keeps_that_step_once(path: Path) -> None:
    write(RolloutLog(path, 0), 0, {"a": ["old"]})
    resumed = RolloutLog(path, 0)
    write(resumed, 0, {"a": ["new"]})
    assert responses(resumed.read()) == ["new"]


def test_a_step_written_in_several_calls_stays_whole(path: Path) -> None:
    log = RolloutLog(path, 0)
    write(log, 0, {"a": ["first"]})
    write(log, 0, {"b": ["second"]})
    assert responses(log.read()) == ["first", "second"]


def test_the_line_that_a_kill_cut_off_is_left_out(path: Path) -> None:
    log = RolloutLog(path, 0)
    write(log, 0, {"a": ["whole", "cut off"]})
    path.write_text(path.read_text()[:-20])
    assert responses(log.read()) == ["whole"]


def test_a_cut_off_line_swallows_nothing_of_the_resumed_run(path: Path) -> None:
    write(RolloutLog(path, 0), 0, {"a": ["whole", "cut off"]})
    path.write_text(path.read_text()[:-20])
    resumed = RolloutLog(path, 0)
    write(resumed, 1, {"a": ["next 0", "next 1"]})
    assert responses(resumed.read()) == ["whole", "next 0", "next 1"]


def test_line_breaks_of_any_script_in_a_response_stay_inside_it(path: Path) -> None:
    log = RolloutLog(path, 0)
    text = "one\ntwo\u2028three\x85four\r\n"
    write(log, 0, {"a": [text]})
    assert responses(log.read()) == [text]
