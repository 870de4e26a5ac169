"""Intervals and paired tests, clustered by question: shared by the serve, evaluate and report boxes."""

from hexad.statistics.paired import (
    Array,
    holm,
    majority_score,
    mean_interval,
    pair_accuracy,
    paired_difference,
    pass_at_k,
    question_means,
    wilson_interval,
)

__all__ = [
    "Array",
    "holm",
    "majority_score",
    "mean_interval",
    "pair_accuracy",
    "paired_difference",
    "pass_at_k",
    "question_means",
    "wilson_interval",
]
