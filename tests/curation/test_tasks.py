"""Every generated question is well posed, its solution right, its gold what a second reading of the question gives."""

import contextlib
import io
import re
from collections.abc import Callable
from itertools import permutations
from random import Random

import pytest
import reasoning_gym
from pydantic import JsonValue

from hexad.chat import render
from hexad.curation.generate import as_prompts
from hexad.curation.tasks import TASKS, Worked
from hexad.grading import grade, grade_many

DRAWS = 60


def drawn(task: str, count: int = DRAWS, seed: int = 5) -> list[Worked]:
    rng = Random(seed)
    return [TASKS[task](rng) for _ in range(count)]


def column_sum(question: str) -> JsonValue:
    left, sign, right = re.findall(r"(\d+) ([+-]) (\d+)", question)[0]
    return int(left) + int(right) if sign == "+" else int(left) - int(right)


# Read from the words, one step at a time; the task builds one nested expression.
STEPS: dict[str, Callable[[int, int], int]] = {
    r"adds (\d+)": lambda x, n: x + n,
    r"subtracts (\d+)": lambda x, n: x - n,
    r"multiplies by (\d+)": lambda x, n: x * n,
    r"takes the remainder by (\d+)": lambda x, n: x % n,
    r"divides by (\d+) without remainder": lambda x, n: x // n,
    r"squares it()": lambda x, _: x * x,
    r"takes the larger of it and (\d+)": max,
    r"takes the smaller of it and (\d+)": min,
    r"negates it()": lambda x, _: -x,
}


def function_body(question: str) -> JsonValue:
    words = question.partition("takes x, ")[2].removesuffix(".").split(", then ")
    table: list[JsonValue] = []
    for x in (0, 1, 2, 3, 7, 12, 25, -4, -11):
        value = x
        for word in words:
            step, found = next((f, m) for p, f in STEPS.items() if (m := re.fullmatch(p, word)))
            value = step(value, int(found[1] or 0))
        table.append([[x], value])
    return table


def leg_counting(question: str) -> JsonValue:
    legs = reasoning_gym.arithmetic.leg_counting.ANIMALS
    herd = question.partition("if you have ")[2].removesuffix("?")
    return sum(int(count) * legs[animal] for count, animal in re.findall(r"(\d+) ([a-z ]+?)s(?:,|$)", herd))


def travel(question: str) -> JsonValue:
    if given := re.search(r"at (\d+) m/s for (\d+) s", question):
        return int(given[1]) * int(given[2])
    given = re.search(r"(\d+) s for (\d+) m", question)
    assert given is not None
    return int(given[2]) / int(given[1])


def ordering(question: str) -> JsonValue:
    """The one order that no fact contradicts."""
    facts = re.findall(r"(\w+) is (\w+) than (\w+)\.", question)
    names = sorted({name for first, _, second in facts for name in (first, second)})
    more = {"taller", "older", "faster"}
    ahead = [(first, second) if word in more else (second, first) for first, word, second in facts]
    fitting = [list(o) for o in permutations(names) if all(o.index(a) < o.index(b) for a, b in ahead)]
    assert len(fitting) == 1, question
    return fitting[0]  # type: ignore[return-value]


def loop_trace(question: str) -> JsonValue:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(question.partition("\n")[2], {})  # our own generator's program, not a model's
    return int(printed.getvalue())


def sales_table(question: str) -> JsonValue:
    *rows, asked = question.splitlines()
    head, *body = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    column = re.search(r"(?:total of|largest) (\w+)", asked)
    assert column is not None
    values = [int(row[head.index(column[1])]) for row in body]
    return sum(values) if "total" in asked else max(values) - min(values)


READINGS = {f.__name__: f for f in (column_sum, function_body, leg_counting, travel, ordering, loop_trace, sales_table)}


@pytest.mark.parametrize("task", sorted(TASKS))
def test_the_gold_is_what_a_second_reading_of_the_question_gives(task: str) -> None:
    for worked in drawn(task, 400):
        assert READINGS[task](worked.question) == worked.gold.value, worked.question


@pytest.mark.parametrize("task", sorted(TASKS))
def test_the_worked_answer_is_graded_correct_against_its_own_gold(task: str) -> None:
    rows = drawn(task)
    prompts = as_prompts(rows, "train")
    verdicts = grade_many((p, render(w.thinking, w.answer), "stop") for p, w in zip(prompts, rows, strict=True))
    assert {v.status for v in verdicts} == {"correct"}


@pytest.mark.parametrize("task", sorted(TASKS))
def test_another_question_s_answer_is_graded_incorrect(task: str) -> None:
    first = drawn(task)[0]
    other = next(w for w in drawn(task) if w.gold != first.gold)
    assert grade(as_prompts([first], "train")[0], render("", other.answer)).status == "incorrect"


@pytest.mark.parametrize("task", sorted(TASKS))
def test_the_plan_never_holds_the_answer(task: str) -> None:
    assert not [w for w in drawn(task) if w.answer in w.plan or re.search(r"\d", w.plan)]


@pytest.mark.parametrize("task", sorted(TASKS))
def test_the_thinking_reaches_the_answer(task: str) -> None:
    """Digits of the answer, or the words of it, stand in the working: nothing is answered out of the blue."""
    for worked in drawn(task):
        if task == "column_sum":
            written = re.findall(r"write (\d)", worked.thinking)[::-1]
            top = re.findall(r"top (\d)", worked.thinking)
            assert int("".join(top + written)) == abs(int(worked.answer))
        elif task == "function_body":
            assert worked.thinking.splitlines()[-1].partition(": ")[2] in worked.answer
        elif task == "ordering":
            assert worked.thinking.splitlines()[1] == f"first {worked.answer.partition(',')[0]}"
        else:
            assert re.findall(r"-?\d+", worked.thinking.splitlines()[-1])[-1] == worked.answer.split()[0]


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_seed_always_draws_the_same_questions(task: str) -> None:
    assert drawn(task, 5, seed=11) == drawn(task, 5, seed=11)
    assert drawn(task, 5, seed=11) != drawn(task, 5, seed=12)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_task_names_itself_and_where_it_is_from(task: str) -> None:
    worked = drawn(task, 1)[0]
    assert worked.task == task
    assert worked.source
    assert worked.revision
