"""Known values, closed forms and properties of the evaluation statistics."""

import json
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hexad.statistics.paired import (
    holm,
    majority_score,
    mean_interval,
    pair_accuracy,
    paired_difference,
    pass_at_k,
    question_means,
    wilson_interval,
)

means = arrays(float, st.integers(1, 40), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
few = settings(max_examples=25, deadline=None)


def cases(name: str) -> list[dict]:
    return [json.loads(line) for line in (Path(__file__).parent / f"{name}.jsonl").read_text().splitlines()]


# --- means ---------------------------------------------------------------------------------------


def test_a_sample_without_a_verdict_is_left_out_of_its_questions_mean():
    scores = np.array([[1.0, np.nan, 0.0], [np.nan, np.nan, np.nan], [1.0, 1.0, 1.0]])
    assert question_means(scores) == pytest.approx([0.5, np.nan, 1.0], nan_ok=True)


def test_a_question_without_any_verdict_does_not_count():
    estimate = mean_interval([np.array([1.0, np.nan, 0.0])], seed=0)
    assert (estimate.mean, estimate.questions) == (0.5, 2)


def test_no_verdict_at_all_is_an_error_that_says_so():
    with pytest.raises(ValueError, match="no question has a verdict"):
        mean_interval([np.array([np.nan])], seed=0)


def test_the_interval_has_the_width_of_the_clustered_standard_error():
    values = np.array([0.0, 1.0] * 150)
    estimate = mean_interval([values], seed=0)
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(300), rel=0.08)


def test_repeating_a_question_shrinks_nothing_but_more_questions_do():
    narrow = mean_interval([np.array([0.0, 1.0] * 200)], seed=0)
    wide = mean_interval([np.array([0.0, 1.0] * 50)], seed=0)
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(2, rel=0.1)


def test_the_macro_average_counts_domains_equally_and_the_micro_average_questions():
    large, small = np.zeros(90), np.ones(10)
    assert mean_interval([large, small], seed=0).mean == 0.5
    assert mean_interval([np.concatenate([large, small])], seed=0).mean == pytest.approx(0.1)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_right_or_all_wrong_gets_wilsons_interval_and_not_certainty(value):
    estimate = mean_interval([np.full(50, value)], seed=0)
    assert (estimate.low, estimate.high) == pytest.approx(wilson_interval(50 * value, 50), abs=1e-12)


@few
@given(means, st.integers(0, 5))
def test_the_interval_contains_the_mean_and_stays_within_0_and_1(values, seed):
    estimate = mean_interval([values], seed)
    assert 0 <= estimate.low <= estimate.mean <= estimate.high <= 1


@few
@given(means, st.randoms(use_true_random=False))
def test_the_order_of_questions_changes_nothing(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    assert mean_interval([values], 0) == mean_interval([values[order]], 0)
    base = np.zeros_like(values)
    assert paired_difference([base], [values], 0) == paired_difference([base], [values[order]], 0)


def test_the_same_seed_gives_the_same_interval():
    values = np.linspace(0, 1, 30)
    assert mean_interval([values], 3) == mean_interval([values], 3)


def test_the_interval_covers_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        truth_per_question = rng.beta(1, 1, size=60)
        scores = rng.binomial(4, truth_per_question) / 4
        estimate = mean_interval([scores], seed=trial)
        covered += estimate.low <= 0.5 <= estimate.high
    assert 180 <= covered <= 199


# --- paired differences --------------------------------------------------------------------------


def test_identical_cells_differ_by_nothing_with_p_1():
    values = np.linspace(0, 1, 50)
    found = paired_difference([values], [values], seed=0)
    assert (found.delta, found.p) == (0.0, 1.0)
    assert found.low < 0 < found.high


def test_a_few_questions_that_all_improve_have_the_exact_sign_flip_p():
    found = paired_difference([np.zeros(5)], [np.full(5, 0.5)], seed=0)
    assert found.p == pytest.approx(2 / 2**5, abs=0.01)


def test_p_is_never_zero():
    assert paired_difference([np.zeros(200)], [np.ones(200)], seed=0).p == 1 / 10_001


def test_p_matches_the_exact_enumeration_of_all_sign_flips():
    differences = np.array([0.5, 0.25, -0.25, 0.75, 0.0, 0.5, -0.5, 1.0, 0.25, 0.25])
    observed = abs(differences.sum())
    flips = [np.array([1 if row >> bit & 1 else -1 for bit in range(10)]) for row in range(2**10)]
    exact = np.mean([abs((signs * differences).sum()) >= observed - 1e-12 for signs in flips])
    assert paired_difference([np.zeros(10)], [differences], seed=0).p == pytest.approx(exact, abs=0.01)


def test_swapping_the_cells_turns_the_difference_round_and_keeps_p():
    rng = np.random.default_rng(1)
    one, two = rng.random(60), rng.random(60)
    there, back = paired_difference([one], [two], 0), paired_difference([two], [one], 0)
    assert (there.delta, there.p) == pytest.approx((-back.delta, back.p))


def test_a_question_missing_on_one_side_is_left_out_of_both():
    found = paired_difference([np.array([0.0, np.nan, 0.0])], [np.array([1.0, 0.0, 0.5])], seed=0)
    assert (found.delta, found.questions) == (0.75, 2)


def test_without_an_effect_p_is_below_5_percent_about_5_times_in_100():
    rng = np.random.default_rng(2)
    pairs = [(rng.binomial(4, 0.5, 40) / 4, rng.binomial(4, 0.5, 40) / 4) for _ in range(100)]
    rejected = sum(paired_difference([a], [b], 0).p < 0.05 for a, b in pairs)
    assert rejected <= 12


@few
@given(means, means)
def test_the_interval_of_a_difference_contains_it_and_stays_within_minus_1_and_1(one, two):
    size = min(len(one), len(two))
    found = paired_difference([one[:size]], [two[:size]], 0)
    assert -1 <= found.low <= found.delta <= found.high <= 1
    assert 0 < found.p <= 1


# --- closed forms --------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("wilson"), ids=lambda c: f"{c['successes']}of{c['trials']}")
def test_wilson_interval(case):
    expected = (case["low"], case["high"])
    assert wilson_interval(case["successes"], case["trials"]) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("correct", [0, 1, 3, 5])
def test_pass_at_k_is_the_share_of_k_subsets_with_a_right_one(k, correct):
    samples = [True] * correct + [False] * (5 - correct)
    exact = np.mean([any(chosen) for chosen in combinations(samples, k)])
    assert pass_at_k(5, correct, k) == pytest.approx(exact)


def test_pass_at_k_refuses_more_samples_than_there_are():
    with pytest.raises(ValueError, match="k <= samples"):
        pass_at_k(4, 1, 5)


@pytest.mark.parametrize("case", cases("majority"), ids=lambda c: c["what"])
def test_majority_vote(case):
    assert majority_score(case["groups"], case["scores"]) == pytest.approx(case["expected"])


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from([0.0, 1.0])), min_size=1))
def test_majority_does_not_depend_on_the_order_of_candidates(rows):
    forward = majority_score([g for g, _ in rows], [s for _, s in rows])
    backward = majority_score([g for g, _ in rows[::-1]], [s for _, s in rows[::-1]])
    assert forward == pytest.approx(backward)


@pytest.mark.parametrize("case", cases("holm"), ids=lambda c: str(c["p"]))
def test_holm_correction(case):
    assert holm(case["p"]) == pytest.approx(case["adjusted"])


def test_a_tied_pair_is_half_a_win():
    assert pair_accuracy(right=[0.9, 0.5], wrong=[0.5]) == (1.5, 2)
