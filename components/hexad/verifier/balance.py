"""Which graded rollouts the verifier learns from."""

from collections.abc import Sequence
from itertools import cycle, islice
from random import Random

from hexad.records import Rollout
from hexad.verifier.config import VerifierConfig

_REPEATS = 3


def balanced(rollouts: Sequence[Rollout], config: VerifierConfig, seed: int) -> list[Rollout]:
    """The newest share, as many right as wrong of every question, shuffled.

    Balance over all questions together would teach which questions are easy; best-of-N chooses among responses to one.
    The rarer kind of a question comes up to three times. Questions with one kind alone, and rollouts without a verdict
    (`error`), are left out.
    """
    newest = rollouts[int(len(rollouts) * (1 - config.rollout_share)) :]
    by_question: dict[str, tuple[list[Rollout], list[Rollout]]] = {}
    for rollout in newest:
        if rollout.verdict.status != "error":
            right, wrong = by_question.setdefault(rollout.prompt_id, ([], []))
            (right if rollout.verdict.status == "correct" else wrong).append(rollout)
    questions = [kinds for kinds in by_question.values() if all(kinds)]
    rng = Random(seed)
    rng.shuffle(questions)
    chosen: list[Rollout] = []
    for kinds in questions:
        size = min(max(map(len, kinds)), _REPEATS * min(map(len, kinds)), (config.max_rollouts - len(chosen)) // 2)
        for kind in kinds:
            chosen += islice(cycle(rng.sample(kind, len(kind))), size)
    rng.shuffle(chosen)
    return chosen
