"""Scores, deltas and the worth of selection, from graded rollouts."""

import pytest
from pydantic import ValidationError

from hexad.evaluation.summarise import (
    Candidate,
    Selection,
    count_errors,
    summarise_deltas,
    summarise_scores,
    summarise_selection,
)
from hexad.records import Gold, Message, Prompt, Rollout, Verdict


def prompt(identity: str, domain: str = "math") -> Prompt:
    return Prompt(id=identity, domain=domain, source="test", revision="1",
                  prompt=[Message(role="user", content="?")], gold=Gold(value=1), grader=domain)  # fmt: skip


def rollout(question: str, score: float | None, sample: int = 0, tokens: int = 10, finish: str = "stop") -> Rollout:
    status = "error" if score is None else "correct" if score == 1 else "incorrect"
    return Rollout(prompt_id=question, sample=sample, seed=0, response="", finish_reason=finish, tokens=tokens,
                   verdict=Verdict(status=status, score=score, version="1"))  # fmt: skip


PROMPTS = {p.id: p for p in [prompt("m1"), prompt("m2"), prompt("m3"), prompt("c1", "code")]}


def test_every_benchmark_has_a_score_with_questions_and_samples():
    rows = [rollout(q, s, i) for q, s in [("m1", 1), ("m2", 0), ("m3", 1), ("c1", 0)] for i in range(2)]
    scores = summarise_scores({"base": rows}, PROMPTS, seed=0)["base"]
    assert set(scores) == {"all", "math", "code", "macro"}
    assert (scores["all"].mean, scores["all"].questions, scores["all"].samples) == (0.5, 4, 8)
    assert scores["math"].mean == pytest.approx(2 / 3)
    assert scores["macro"].mean == pytest.approx(1 / 3)


def test_an_error_is_counted_apart_and_never_as_wrong():
    rows = [rollout("m1", 1), rollout("m1", None, 1), rollout("m2", None), rollout("m3", 0, finish="error")]
    scores = summarise_scores({"base": rows}, PROMPTS, seed=0)["base"]
    assert (scores["all"].mean, scores["all"].questions, scores["all"].samples) == (1.0, 1, 1)
    assert count_errors({"base": rows}) == {"base": 3}


def test_a_cell_in_which_everything_failed_has_no_score():
    assert summarise_scores({"base": [rollout("m1", None)], "sft": []}, PROMPTS, seed=0) == {"base": {}, "sft": {}}


def test_length_and_truncation_are_those_of_the_graded_samples():
    rows = [rollout("m1", 1, tokens=10), rollout("m2", 0, tokens=30, finish="length")]
    score = summarise_scores({"base": rows}, PROMPTS, seed=0)["base"]["all"]
    assert (score.mean_tokens, score.truncated) == (20, 0.5)


def test_a_rollout_of_an_unknown_question_is_refused_by_name():
    with pytest.raises(ValueError, match="'zz'"):
        summarise_scores({"base": [rollout("zz", 1)]}, PROMPTS, seed=0)


def test_deltas_are_paired_by_question_and_only_between_cells_that_were_run():
    base = [rollout("m1", 0), rollout("m2", 0), rollout("c1", 1)]
    sft = [rollout("m2", 1), rollout("m1", 0), rollout("m3", 1)]
    deltas = summarise_deltas({"base": base, "sft": sft, "rlvr+bo3": sft}, PROMPTS, seed=0)
    assert [(d.from_, d.to, d.benchmark) for d in deltas] == [
        ("base", "sft", "all"), ("base", "sft", "math"), ("base", "sft", "macro"),
    ]  # fmt: skip
    assert deltas[0].delta == 0.5


def test_speculation_is_compared_when_its_cell_exists():
    cells = {"rlvr": [rollout("m1", 1)], "rlvr+spec": [rollout("m1", 1)]}
    assert {(d.from_, d.to, d.p) for d in summarise_deltas(cells, PROMPTS, seed=0)} == {("rlvr", "rlvr+spec", 1.0)}


def selection(question: str, *candidates: tuple[str | None, float, float | None], selected: int = 0) -> Selection:
    found = [Candidate(group=g, verifier=v, score=s) for g, v, s in candidates]
    return Selection(prompt_id=question, candidates=found, selected=selected)


def test_selection_is_set_beside_majority_and_oracle():
    summary = summarise_selection([
        selection("m1", ("a", 0.9, 1), ("b", 0.2, 0), ("b", 0.3, 0)),
        selection("m2", ("a", 0.1, 0), ("a", 0.8, 0), ("c", 0.4, 1), selected=1),
    ])  # fmt: skip
    assert summary is not None
    assert (summary.selected, summary.majority, summary.oracle) == (0.5, 0.0, 1.0)
    assert summary.pair_accuracy == 0.75


def test_requests_of_one_question_weigh_as_one_question():
    right, wrong = ("a", 0.5, 1.0), ("b", 0.5, 0.0)
    summary = summarise_selection([selection("m1", right)] * 3 + [selection("m2", wrong)])
    assert summary is not None and summary.selected == 0.5


def test_a_request_with_an_ungraded_candidate_is_left_out():
    assert summarise_selection([selection("m1", ("a", 0.5, 1.0), ("b", 0.5, None))]) is None


def test_without_a_pair_to_order_the_verifier_is_a_coin():
    summary = summarise_selection([selection("m1", ("a", 0.5, 1.0))])
    assert summary is not None and summary.pair_accuracy == 0.5


def test_a_selected_index_beyond_the_candidates_is_refused():
    with pytest.raises(ValidationError, match="only 1 candidates"):
        selection("m1", ("a", 0.5, 1.0), selected=1)
