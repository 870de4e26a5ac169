"""The verifier's head: from how likely a response is to the probability that it is right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.verifier.head import Head

RNG = np.random.default_rng(5)
LIKELIHOODS = np.column_stack([RNG.uniform(-2, 0, 4000), RNG.uniform(-60, 0, 4000)])
TRUTH = Head(bias=2.0, mean=1.5, total=0.1, max_tokens=64)
FINITE = st.floats(-1e6, 0)


def test_the_head_that_made_the_verdicts_is_found_again() -> None:
    right = RNG.uniform(size=4000) < TRUTH.probability(LIKELIHOODS)
    found = Head.fitted(LIKELIHOODS, right.astype(float), 64)
    assert [found.bias, found.mean, found.total] == pytest.approx([2.0, 1.5, 0.1], rel=0.15)


def test_its_probabilities_are_those_of_the_verdicts() -> None:
    right = RNG.uniform(size=4000) < TRUTH.probability(LIKELIHOODS)
    said = Head.fitted(LIKELIHOODS, right.astype(float), 64).probability(LIKELIHOODS)
    sure = said > 0.8
    assert right.mean() == pytest.approx(said.mean(), abs=0.001)
    assert right[sure].mean() == pytest.approx(said[sure].mean(), abs=0.05)


def test_rollouts_that_one_line_divides_give_a_head_all_the_same() -> None:
    features = np.array([[-0.1, -1.0], [-0.2, -2.0], [-0.9, -9.0], [-1.0, -10.0]])
    said = Head.fitted(features, np.array([1.0, 1.0, 0.0, 0.0]), 64).probability(features)
    assert said[:2].min() > 0.9
    assert said[2:].max() < 0.1


def test_a_feature_that_never_differs_counts_for_nothing() -> None:
    features = np.column_stack([np.full(50, -0.5), np.arange(-50.0, 0.0)])
    right = (features[:, 1] > -25).astype(float)
    assert Head.fitted(features, right, 64).mean == 0.0


@given(FINITE, FINITE)
def test_every_score_is_a_probability(mean: float, total: float) -> None:
    (score,) = TRUTH.probability(np.array([[mean, total]]))
    assert 0.0 <= score <= 1.0
