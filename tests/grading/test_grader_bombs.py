"""Inputs built to hang a grader are answered within a deadline, and delay nothing else."""

import time

import pytest
from grading_cases import answered, prompt

from hexad.grading import grade, grade_many, is_correct

BOMBS = {
    "tower": "9^{9^{9^9}}",
    "tower of ten": "10^{10^{10^{10}}}",
    "factorial": "(10^6)!",
    "nested factorial": "((((9!)!)!)!)!",
    "binomial": "\\binom{10^9}{5\\cdot10^8}",
    "a million digits": "1" * 1_000_000,
    "parentheses": "(" * 100_000 + "3" + ")" * 100_000,
    "minus signs": "-" * 3_000 + "3",
    "braces": "{" * 2_000 + "3" + "}" * 2_000,
    "fractions": "\\frac{1}{" * 500 + "3" + "}" * 500,
    "a large set": "\\{" + ",".join(map(str, range(2_000))) + "\\}",
    "roots": "\\sqrt{" * 300 + "3" + "}" * 300,
    "sines": "\\sin(" * 50 + "10^{90000}" + ")" * 50,
    "signs": "\\pm 1" * 300,
    "blanks": " " * 200_000 + "x",
    "boxes": "\\boxed{" * 20_000,
    "brackets of JSON": "[" * 100_000,
    "units": "5 " + "m/s " * 1_000,
    "letters with separators": "a." * 30_000 + "!",
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize(
    ("domain", "gold"),
    [("math", 3), ("math", "\\sqrt{2}"), ("science", "B"), ("tabular", 3), ("simulation", [3]), ("logic", ["3", "4"])],
)
def test_a_bomb_is_wrong_within_three_seconds(name: str, domain: str, gold: object) -> None:
    grade(prompt("math", {"value": "\\sqrt{8}"}), answered("2\\sqrt2"))  # workers are up
    start = time.monotonic()
    judged = grade(prompt(domain, {"value": gold}), answered(BOMBS[name]))
    assert judged.status in {"incorrect", "no_answer"}, judged
    assert time.monotonic() - start < 3.0


def test_bombs_do_not_delay_the_rest_of_a_batch_of_a_thousand() -> None:
    questions = [prompt("math", {"value": f"\\sqrt{{{n}}}"}) for n in range(2, 1_002)]
    plain = [(q, answered(f"2\\sqrt{{{n}/4}}"), "stop") for n, q in enumerate(questions, 2)]
    start = time.monotonic()
    assert all(map(is_correct, grade_many(plain)))
    alone = time.monotonic() - start
    items = plain[:500] + [(questions[0], answered(text), "stop") for text in BOMBS.values()] + plain[500:]
    start = time.monotonic()
    verdicts = grade_many(items)
    print(f"1,000 rows: {alone:.2f} s alone, {time.monotonic() - start:.2f} s with {len(BOMBS)} bombs among them")
    assert time.monotonic() - start < 2 * alone + 10.0
    assert [is_correct(v) for v in verdicts] == [True] * 500 + [False] * len(BOMBS) + [True] * 500
