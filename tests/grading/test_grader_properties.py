"""Properties that hold for all answers: total, symmetric where promised, blind to white space and spelling."""

import time
from random import Random

import pytest
from grading_cases import answered, prompt, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from hexad.grading import answer_key, equivalent, grade, grade_many, group_answers, is_correct, verify_gold
from hexad.grading.compare_math import Comparison
from hexad.grading.exact import NoValue
from hexad.grading.literal import LiteralError, read_literal
from hexad.grading.parse_math import parse
from hexad.grading.tokens import MathSyntaxError

MARKS = (
    "\\frac", "{", "}", "1", "23", "x", "^", "\\sqrt", "(", ")", "[", "\\{",
    "\\}", ",", "\\cup", "\\pm", "=", "<", "\\text{", "!", "%", "\\begin{pmatrix}", "\\end{pmatrix}", "&",
    "\\\\", "_", ":", "-", "\\pi", " ", "\\boxed{", "<answer>", "</answer>", "</think>", "e9", ".",
    "|",
)  # fmt: skip
PIECES = st.sampled_from(MARKS)
NUMBERS = st.one_of(
    st.integers(-999, 999).map(str),
    st.tuples(st.integers(-99, 99), st.integers(1, 99)).map(lambda p: f"\\frac{{{p[0]}}}{{{p[1]}}}"),
    st.decimals(-99, 99, places=3).map(str),
    st.integers(0, 99).map(lambda n: f"{n}\\%"),
)
ANSWERS = st.one_of(
    NUMBERS,
    st.lists(NUMBERS, min_size=2, max_size=4).map(", ".join),
    st.lists(NUMBERS, min_size=1, max_size=4).map(lambda items: "\\{" + ", ".join(items) + "\\}"),
    st.tuples(NUMBERS, NUMBERS).map(lambda p: f"({p[0]}, {p[1]})"),
    NUMBERS.map(lambda n: f"x < {n}"),
    NUMBERS.map(lambda n: f"(-\\infty, {n})"),
)


def test_ten_thousand_strings_get_verdicts_in_a_minute() -> None:
    rng = Random(4)
    golds = [
        ("math", "\\frac{1}{2}"), ("math", "\\sqrt{2}"), ("math", "\\{1, 2\\}"), ("math", "(0, 1]"),
        ("math", "x^2 + 1"),
        ("science", "B"), ("science", 3.5), ("logic", ["a", "b"]), ("simulation", {"a": 1}), ("tabular", "1,200"),
    ]  # fmt: skip
    questions = [prompt(domain, {"value": value}) for domain, value in golds]
    texts = ["".join(rng.choices(MARKS, k=rng.randrange(1, 25))) for _ in range(10_000)]
    items = [(questions[i % len(questions)], answered(text) if i % 2 else text, "stop") for i, text in enumerate(texts)]
    start = time.monotonic()
    verdicts = grade_many(items)
    assert time.monotonic() - start < 60
    assert [v for v in verdicts if v.status == "error"] == []
    assert all(0 <= v.score <= 1 for v in verdicts if v.score is not None)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=25).map("".join)))
def test_any_text_gets_a_verdict_in_every_domain(text: str) -> None:
    for domain, gold in (
        ("math", 7),
        ("science", "B"),
        ("logic", ["a", "b"]),
        ("simulation", {"a": 1}),
        ("tabular", 5),
    ):
        for response in (text, answered(text)):
            judged = grade(prompt(domain, {"value": gold}), response)
            assert judged.status in {"correct", "incorrect", "no_answer"}, judged


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_parsing_raises_nothing_but_a_syntax_error(text: str) -> None:
    try:
        parse(text)
    except MathSyntaxError:
        return


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="[]{}(),:\"'\\ tTrueNone0123456789.eE-+", max_size=60))
def test_reading_a_literal_raises_nothing_but_a_literal_error(text: str) -> None:
    try:
        read_literal(text)
    except LiteralError:
        return


@settings(max_examples=200, deadline=None)
@given(ANSWERS, ANSWERS)
def test_comparison_is_symmetric(a: str, b: str) -> None:
    comparison = Comparison(rounding=False)
    left, right = parse(a), parse(b)
    try:
        assert comparison.equal(left, right) == comparison.equal(right, left)
    except NoValue:
        return


@settings(max_examples=200, deadline=None)
@given(ANSWERS)
def test_an_answer_is_its_own_gold(answer: str) -> None:
    assert verify_gold(prompt("math", {"value": answer})) is None


@settings(max_examples=100, deadline=None)
@given(ANSWERS, st.sampled_from([" ", "  ", "\n", "\\,", "$"]))
def test_white_space_and_dollar_signs_around_an_answer_do_not_count(answer: str, blank: str) -> None:
    assert is_correct(grade(prompt("math", {"value": answer}), answered(f"{blank}{answer}{blank}")))


@settings(max_examples=100, deadline=None)
@given(ANSWERS, ANSWERS)
def test_equal_keys_are_graded_correct(a: str, b: str) -> None:
    question = prompt("math", {"value": a})
    if answer_key(question, answered(a)) == answer_key(question, answered(b)):
        assert is_correct(grade(question, answered(b)))


def test_answers_are_grouped_by_value_not_by_spelling() -> None:
    answers = ["1/2", "0.5", None, "B", "(B)", "\\sqrt{8}", "2\\sqrt2", "Paris", "paris.", "\\frac{2}{4}"]
    assert group_answers(answers) == [0, 0, -1, 1, 1, 2, 2, 3, 3, 0]


@pytest.mark.parametrize(
    ("type_", "a", "b", "same"),
    [
        ("json", "[1, 2]", "(1,2)", True),
        ("json", "1", "true", False),
        ("number", "$1.2 million", "1200000", True),
        ("list", "a, b", '["a", "b"]', True),
        ("list", "a, b", "b, a", False),
        ("math", "x=3", "3", True),
        ("choice", "\\text{C. Acid}", "c", True),
    ],
)
def test_equivalence_of_two_answers_by_type(type_: str, a: str, b: str, same: bool) -> None:
    assert equivalent(type_, a, b) is same
    assert equivalent(type_, b, a) is same


@pytest.mark.parametrize(
    "case", [c for c in rows("math_posttrain_6_2.jsonl") if c["gold"] and c["gold"] != "1/0"], ids=lambda c: c["row"]
)
def test_every_gold_of_the_table_verifies_itself(case: dict[str, str]) -> None:
    assert verify_gold(prompt("math", {"value": case["gold"]})) is None


@pytest.mark.parametrize("gold", ["", "1/0", " ", "\\frac{1}{0}"])
def test_a_gold_without_a_value_is_rejected(gold: str) -> None:
    assert verify_gold(prompt("math", {"value": gold})) is not None
