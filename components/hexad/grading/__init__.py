"""The one grader: reward, vote and benchmark scorer are the same code (DESIGN §8)."""

import atexit

from hexad.grading.gold_type import infer_type
from hexad.grading.grade import answer_key, close, equivalent, grade, grade_many, group_answers, verify_gold
from hexad.grading.rewards import AsyncGraderReward, GraderReward
from hexad.grading.sandbox import layers
from hexad.grading.verdicts import VERSION, is_correct

atexit.register(close)

__all__ = [
    "VERSION", "AsyncGraderReward", "GraderReward", "answer_key", "close", "equivalent", "grade", "grade_many",
    "group_answers", "infer_type", "is_correct", "layers", "verify_gold",
]  # fmt: skip
