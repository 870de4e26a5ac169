"""Which graded rollouts the verifier learns from."""

from collections.abc import Sequence
from random import Random

from hexad.records import Rollout
from hexad.verifier.config import VerifierConfig


def balanced(rollouts: Sequence[Rollout], config: VerifierConfig, seed: int) -> list[Rollout]:
    """The newest share, as many right as wrong, shuffled. Rollouts without a verdict (`error`) are left out."""
    newest = rollouts[int(len(rollouts) * (1 - config.rollout_share)) :]
    right = [r for r in newest if r.verdict.status == "correct"]
    wrong = [r for r in newest if r.verdict.status in ("incorrect", "no_answer")]
    size = min(len(right), len(wrong), config.max_rollouts // 2)
    rng = Random(seed)
    chosen = rng.sample(right, size) + rng.sample(wrong, size)
    rng.shuffle(chosen)
    return chosen
