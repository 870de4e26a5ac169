"""How good a verifier is, on fresh rollouts of the policy for validation questions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hexad import statistics
from hexad.engines import Sampling
from hexad.engines.transformers_engine import TransformersEngine
from hexad.grading import grade_many
from hexad.records import Prompt, Rollout
from hexad.verifier.config import VerifierConfig
from hexad.verifier.likelihood import fastest_device
from hexad.verifier.scorer import Scorer

_BINS = 10


def measure(
    config: VerifierConfig, policy: Path, verifier: Path, prompts: Sequence[Prompt], seed: int
) -> tuple[dict[str, Any], list[Rollout]]:
    """Pair accuracy, AUC and calibration bins; and the rollouts that they were measured on."""
    sampling = Sampling(n=config.validation_samples, temperature=1.0, max_tokens=config.max_tokens // 2, seed=seed)
    answers = TransformersEngine.load(str(policy), 128).generate([p.prompt for p in prompts], sampling)
    flat = [(p, i, a) for p, row in zip(prompts, answers, strict=True) for i, a in enumerate(row)]
    verdicts = grade_many((p, a.text, a.finish_reason) for p, _, a in flat)
    scores = Scorer(verifier, fastest_device()).score([p.prompt for p, _, _ in flat], [a.text for _, _, a in flat])
    rollouts = [
        Rollout(
            prompt_id=p.id,
            sample=i,
            seed=seed,
            response=a.text,
            finish_reason=a.finish_reason,
            tokens=a.tokens,
            verdict=v,
        )
        for (p, i, a), v in zip(flat, verdicts, strict=True)
    ]
    graded = [
        (r.prompt_id, s, r.verdict.status == "correct")
        for r, s in zip(rollouts, scores, strict=True)
        if r.verdict.status != "error"
    ]
    return {
        "pair_accuracy": pair_accuracy(graded),
        "auc": auc([(s, right) for _, s, right in graded]),
        "pass_rate": sum(right for *_, right in graded) / max(1, len(graded)),
        "bins": calibration([(s, right) for _, s, right in graded]),
    }, rollouts


def pair_accuracy(rows: Sequence[tuple[str, float, bool]]) -> float:
    """Over pairs (right, wrong) of one question: how often the right one scores higher; ties count half."""
    by_question: dict[str, tuple[list[float], list[float]]] = {}
    for question, score, right in rows:
        by_question.setdefault(question, ([], []))[0 if right else 1].append(score)
    counted = [statistics.pair_accuracy(right, wrong) for right, wrong in by_question.values()]
    pairs = sum(seen for _, seen in counted)
    return sum(won for won, _ in counted) / pairs if pairs else 0.5


def auc(rows: Sequence[tuple[float, bool]]) -> float:
    """Area under the ROC curve: pair accuracy over all questions together."""
    return pair_accuracy([("all", score, right) for score, right in rows])


def calibration(rows: Sequence[tuple[float, bool]]) -> list[dict[str, float]]:
    """Ten bins of equal width: mean score, share of right responses, count. Empty bins are left out."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for score, right in rows:
        bins[min(_BINS - 1, int(score * _BINS))].append((score, right))
    return [
        {"score": sum(s for s, _ in b) / len(b), "accuracy": sum(r for _, r in b) / len(b), "count": float(len(b))}
        for b in bins
        if b
    ]
