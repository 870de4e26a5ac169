"""Generated questions fill every use with the counts asked for, each question once."""

from collections import Counter
from random import Random

import pytest

from hexad.chat import read_plan
from hexad.curation.config import ALL_TASKS, GeneratedConfig
from hexad.curation.generate import Generated, as_prompts, as_traces, generate
from hexad.curation.splits import normalise, split_of
from hexad.curation.tasks import TASKS, Worked
from hexad.records import DOMAINS

CHEAP = ("function_body", "travel", "ordering", "loop_trace", "sales_table")
CONFIG = GeneratedConfig(tasks=CHEAP, traces=203, prompts=101, validation=50, test=60)


@pytest.fixture(scope="module")
def made() -> Generated:
    return generate(CONFIG, seed=3)


def questions(rows: list[Worked]) -> set[str]:
    return {normalise(row.question) for row in rows}


def test_every_use_gets_as_many_questions_as_asked_for(made: Generated) -> None:
    assert [len(rows) for rows in (made.traces, made.prompts, made.validation, made.test)] == [203, 101, 50, 60]


def test_no_question_is_used_twice_or_in_two_splits(made: Generated) -> None:
    rows = [*made.traces, *made.prompts, *made.validation, *made.test]
    assert len(questions(rows)) == len(rows)


def test_questions_come_from_the_split_they_are_used_in(made: Generated) -> None:
    assert {split_of(row.question) for row in [*made.traces, *made.prompts]} == {"train"}
    assert {split_of(row.question) for row in made.validation} == {"validation"}
    assert {split_of(row.question) for row in made.test} == {"test"}


def test_tasks_share_the_training_rows_evenly(made: Generated) -> None:
    counted = Counter(row.task for row in made.traces)
    assert set(counted) == set(CHEAP)
    assert max(counted.values()) - min(counted.values()) <= 1


def test_domains_share_the_held_out_rows_evenly_whatever_number_of_tasks_they_have() -> None:
    made = generate(GeneratedConfig(tasks=ALL_TASKS, traces=7, prompts=7, validation=12, test=24), seed=1)
    assert Counter(row.domain for row in made.test) == dict.fromkeys(DOMAINS, 4)
    assert Counter(row.domain for row in made.validation) == dict.fromkeys(DOMAINS, 2)


def test_the_same_seed_makes_the_same_rows_and_another_seed_others(made: Generated) -> None:
    assert generate(CONFIG, seed=3) == made
    assert questions(generate(CONFIG, seed=4).traces) != questions(made.traces)


def test_a_question_drawn_again_is_a_reject_with_its_reason() -> None:
    made = generate(GeneratedConfig(tasks=("travel",), traces=900, prompts=1, validation=6, test=6), seed=1)
    assert made.duplicates
    assert {(reject.stage, reject.reason) for reject in made.duplicates} == {("generate", "duplicate question")}


def test_more_questions_than_a_task_has_is_an_error_that_names_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    only = TASKS["travel"](Random(1))
    while split_of(only.question) != "test":
        only = TASKS["travel"](Random(only.question))
    monkeypatch.setitem(TASKS, "travel", lambda _: only)
    with pytest.raises(ValueError, match=r"travel has too few different questions for split test; ask for fewer"):
        generate(GeneratedConfig(tasks=("travel",), traces=1, prompts=1, validation=6, test=6), seed=1)


def test_a_share_of_traces_carries_its_plan_and_is_asked_for_it(made: Generated) -> None:
    traces = list(as_traces(made.traces, 0.3, seed=1))
    solved, planned = ([t for t in traces if t.id.endswith(kind)] for kind in ("-solve", "-plan"))
    assert len(solved) == len(made.traces)
    assert 0.2 < len(planned) / len(solved) < 0.4
    with_plan = [t for t in solved if read_plan(t.messages[0].content)]
    assert {t.id.removesuffix("-solve") for t in with_plan} == {t.id.removesuffix("-plan") for t in planned}


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (1.0, 203)])
def test_no_trace_or_every_trace_is_planned_at_the_ends(made: Generated, share: float, count: int) -> None:
    assert sum(t.id.endswith("-plan") for t in as_traces(made.traces, share, seed=1)) == count


def test_a_planning_trace_answers_with_the_plan_alone(made: Generated) -> None:
    planning = {t.id: t for t in as_traces(made.traces, 1.0, seed=1) if t.id.endswith("-plan")}
    first = made.traces[0]
    answer = planning[f"{first.task}-0-plan"].messages[-1].content
    assert read_plan(answer) == first.plan
    assert first.answer not in answer


def test_prompts_have_ids_of_their_own_and_hold_the_question_only(made: Generated) -> None:
    prompts = as_prompts(made.prompts, "train")
    assert len({p.id for p in prompts}) == len(prompts)
    assert [p.prompt[0].content for p in prompts] == [w.question for w in made.prompts]
