"""Figures of merit of a verifier, on rows whose answer is known by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.verifier.measure import auc, calibration, pair_accuracy

SCORES = st.floats(0, 1)
ROWS = st.lists(st.tuples(st.sampled_from("pqr"), SCORES, st.booleans()), max_size=20)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("p", 0.9, True), ("p", 0.1, False)], 1.0),
        ([("p", 0.1, True), ("p", 0.9, False)], 0.0),
        ([("p", 0.5, True), ("p", 0.5, False)], 0.5),
        ([("p", 0.9, True), ("p", 0.8, False), ("p", 0.95, False), ("p", 0.9, False)], 0.5),
        ([("p", 0.9, True), ("q", 0.95, False)], 0.5),
        ([], 0.5),
    ],
    ids=["ordered", "reversed", "a tie", "one of each", "never across questions", "no pair is a coin"],
)
def test_pair_accuracy_counts_pairs_of_one_question(rows: list[tuple[str, float, bool]], expected: float) -> None:
    assert pair_accuracy(rows) == expected


def test_auc_counts_pairs_of_all_questions_together() -> None:
    assert auc([(0.9, True), (0.4, True), (0.5, False), (0.1, False)]) == 0.75


@given(ROWS)
def test_a_verifier_turned_round_wins_what_it_lost(rows: list[tuple[str, float, bool]]) -> None:
    # Negated rather than 1 - s, which would round different scores to equal ones.
    turned = [(question, -score, right) for question, score, right in rows]
    assert pair_accuracy(turned) == pytest.approx(1 - pair_accuracy(rows))


def test_calibration_says_score_and_accuracy_per_bin_and_leaves_out_empty_ones() -> None:
    rows = [(0.0, False), (0.04, True), (0.55, True), (1.0, True), (0.99, False)]
    assert calibration(rows) == [
        {"score": pytest.approx(0.02), "accuracy": 0.5, "count": 2.0},
        {"score": pytest.approx(0.55), "accuracy": 1.0, "count": 1.0},
        {"score": pytest.approx(0.995), "accuracy": 0.5, "count": 2.0},
    ]


@given(st.lists(st.tuples(SCORES, st.booleans())))
def test_every_response_is_in_one_bin(rows: list[tuple[float, bool]]) -> None:
    assert sum(found["count"] for found in calibration(rows)) == len(rows)
