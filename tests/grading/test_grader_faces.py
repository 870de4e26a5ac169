"""The grader's faces: TRL reward, `hexad grade` rows, and how an answer was found."""

import asyncio
import json
import pickle
from types import SimpleNamespace

import pytest
from grading_cases import answered, prompt
from pydantic import JsonValue

from hexad.grading import VERSION, AsyncGraderReward, GraderReward, grade, infer_type
from hexad.grading.cli import grade_stream
from hexad.grading.rewards import Graded

TWO = prompt("math", {"value": 2})


def test_the_reward_scores_strings_and_conversations() -> None:
    reward = GraderReward()
    row = [TWO.model_dump_json()]
    assert reward(["?"], [answered(2)], row=row, trainer_state=None) == [1.0]
    assert reward(["?"], [[{"role": "assistant", "content": answered(3)}]], row=row) == [0.0]


def test_the_reward_is_none_where_the_gold_is_broken() -> None:
    assert GraderReward()(["?"], [answered(1)], row=[prompt("math", {"value": "1/0"}).model_dump_json()]) == [None]


def test_the_reward_has_a_name_and_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(GraderReward()))
    assert copy.__name__ == "grader"
    assert copy(["?"], [answered(2)], row=[TWO.model_dump_json()]) == [1.0]


def test_the_reward_hands_what_it_graded_and_the_step_to_the_sink() -> None:
    seen: list[tuple[list[Graded], int]] = []
    columns = {"row": [TWO.model_dump_json()] * 2, "completion_ids": [[5, 6, 0], [5, 6]]}
    reward = GraderReward(sink=lambda batch, step: seen.append((batch, step)), end=0)
    reward(["?"] * 2, [answered(2)] * 2, trainer_state=SimpleNamespace(global_step=7), **columns)
    ((batch, step),) = seen
    assert step == 7
    assert [(g.prompt.id, g.response, g.finished, g.tokens) for g in batch] == [
        ("q", answered(2), True, 3), ("q", answered(2), False, 2),
    ]  # fmt: skip


def test_an_answer_that_was_cut_off_is_none() -> None:
    """What follows might have taken it back."""
    columns = {"row": [TWO.model_dump_json()] * 2, "completion_ids": [[5, 0], [5, 6]]}
    assert GraderReward(end=0)(["?"] * 2, ["\\boxed{2}"] * 2, **columns) == [1.0, 0.0]


def test_the_asynchronous_reward_gives_the_same_and_logs_domains_and_errors() -> None:
    rows = [TWO, prompt("science", {"value": "B"}), prompt("math", {"value": "1/0"}), TWO]
    logged: dict[str, float] = {}
    completions = [answered(2), answered("C"), answered(1), answered(3)]
    columns = {"row": [row.model_dump_json() for row in rows], "log_metric": logged.__setitem__}
    reward = pickle.loads(pickle.dumps(AsyncGraderReward()))
    assert asyncio.run(reward(["?"] * 4, completions, **columns)) == [1.0, 0.0, None, 0.0]
    assert logged == {"grader/math": 0.5, "grader/science": 0.0, "grader/errors": 0.25}


def test_a_missing_column_is_named_with_the_mend() -> None:
    with pytest.raises(ValueError, match="'row' is missing: add the Prompt"):
        GraderReward()(["?"], [answered(2)])


def test_rows_of_the_command_line_keep_order_and_ids() -> None:
    lines = [json.dumps({"id": i, "domain": "math", "gold": {"value": i}, "response": "\\boxed{1}"}) for i in range(3)]
    out = [json.loads(line) for line in grade_stream(lines)]
    assert [(row["id"], row["status"]) for row in out] == [("0", "incorrect"), ("1", "correct"), ("2", "incorrect")]
    assert set(out[0]) == {"id", "status", "score", "extracted", "detail", "version"}
    assert out[0]["version"] == VERSION


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "line 2"),
        ("[]", "line 2: a JSON list"),
        ('{"id": 1}', "gold, response missing"),
        ('{"id": 1, "gold": {"value": 1}, "response": "1"}', "domain None is none of"),
        ('{"id": 1, "domain": "math", "gold": {"value": 1}, "response": 5}', "response is a int"),
        ('{"id": 1, "domain": "math", "gold": {"valeu": 1}, "response": "1"}', "valeu"),
        (b'{"id": 1, "domain": "math", "gold": {"value": 1}, "response": "\xff"}', "line 2: 'utf-8' codec"),
    ],
)
def test_a_bad_line_becomes_an_error_row_and_the_rest_is_graded(line: str | bytes, expected: str) -> None:
    good = json.dumps({"id": "g", "domain": "math", "gold": {"value": 1}, "response": "\\boxed{1}"})
    first, second, third = (json.loads(row) for row in grade_stream([good, line, good]))
    assert (first["status"], third["status"]) == ("correct", "correct")
    assert second["status"] == "error"
    assert second["score"] is None
    assert expected in second["detail"]


def test_an_id_with_half_of_a_surrogate_pair_comes_back_as_it_was() -> None:
    line = '{"id": "\\ud800", "domain": "math", "gold": {"value": 1}, "response": "1"}'
    (row,) = grade_stream([line])
    assert json.loads(row)["id"] == json.loads(line)["id"]


def test_the_domain_option_fills_in_for_rows_without_one() -> None:
    line = json.dumps({"id": "g", "gold": {"value": "C"}, "response": "\\boxed{c}"})
    assert json.loads(next(grade_stream([line], "science")))["status"] == "correct"


@pytest.mark.parametrize(
    ("domain", "gold", "answer"),
    [
        ("math", {"value": 2}, "3\ud83d"),
        ("math", {"value": "\\sqrt{8}"}, "\\frac{4}{\\sqrt2} + \\text{\ud83d}"),
        ("science", {"value": "B"}, "\ud83d"),
        ("simulation", {"value": {"a": 1}}, '{"a": "\ud83d"}'),
        ("code", {"value": ["assert f(1) == 1"], "type": "asserts"}, "def f(a): return '\ud83d'"),
    ],
    ids=["a number", "a root", "a letter", "JSON", "a program"],
)
def test_half_of_a_surrogate_pair_in_an_answer_is_a_wrong_answer(
    domain: str, gold: dict[str, JsonValue], answer: str
) -> None:
    """JSON may hold one, so an endpoint may send one; UTF-8 cannot, so it would break whoever writes the verdict."""
    judged = grade(prompt(domain, gold), answered(answer))
    assert judged.status in {"incorrect", "no_answer"}, judged
    assert json.loads(judged.model_dump_json())["extracted"] == judged.extracted


@pytest.mark.parametrize(
    ("response", "status", "how"),
    [
        ("<think>x</think><answer>2</answer>", "correct", "answer tag"),
        ("<answer>so \\boxed{2}</answer>", "correct", "answer tag, box"),
        ("it is \\boxed{2}", "correct", "box"),
        ("The final answer is: 2.", "correct", "stated"),
        ("2", "correct", "bare"),
        ("<think>2", "no_answer", "thinking was never closed"),
        ("<answer>2", "no_answer", "cut off inside <answer>"),
        ("<answer>1</answer> no: <answer>2</answer>", "correct", "answer tag"),
        ("<think>a</think>b</think><answer>2</answer>", "correct", "answer tag"),
        ("<answer>\n2\n</answer>", "correct", "answer tag"),
        ("<answer></answer>", "no_answer", "empty answer tag"),
        ("", "no_answer", "empty response"),
    ],
)
def test_the_verdict_says_how_the_answer_was_found(response: str, status: str, how: str) -> None:
    judged = grade(TWO, response)
    assert (judged.status, judged.detail.split(";")[0]) == (status, how)


def test_a_response_cut_at_the_token_limit_is_paid_for_a_closed_answer_only() -> None:
    assert grade(TWO, "so \\boxed{2}, but wait", "length").status == "no_answer"
    assert grade(TWO, "<think>t</think><answer>2</answer> and", "length").status == "correct"


def test_a_failed_engine_is_an_error() -> None:
    assert grade(TWO, "", "error").status == "error"


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (5, "integer"),
        ("5", "integer"),
        (0.5, "decimal"),
        ("0.5", "decimal"),
        ("\\frac12", "rational"),
        ("B", "choice"),
        ("Paris", "text"),
        ("(1,2)", "tuple"),
        ("[1,2)", "interval"),
        ("x<2", "interval"),
        ("y=2x", "equation"),
        ("\\sqrt2", "expression"),
        ("1,2,3", "set"),
        ("\\{1\\}", "set"),
        ([1, 2], "list"),
        ({"a": 1}, "json"),
        (True, "json"),
        (None, "json"),
    ],
)
def test_the_type_of_a_gold_is_inferred_from_its_value(value: JsonValue, type_: str) -> None:
    assert infer_type(value) == type_
