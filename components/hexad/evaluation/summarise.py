"""From graded rollouts to the numbers of `summary.json`: scores, deltas, and what selection was worth."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from hexad.records import DOMAINS, Delta, Prompt, Record, Rollout, Score, VerifierSummary
from hexad.statistics.paired import (
    Array,
    majority_score,
    mean_interval,
    pair_accuracy,
    paired_difference,
    question_means,
)

ALL, MACRO = "all", "macro"

PILLAR_STEPS: tuple[tuple[str, str], ...] = (
    ("base", "sft"),
    ("sft", "rlvr"),
    ("rlvr", "rlvr+plan"),
    ("rlvr", "rlvr+bo3"),
    ("rlvr", "rlvr+plan+bo3"),
    ("rlvr", "rlvr+spec"),
)
"""The comparisons that say what each pillar is worth; those whose cells were not run are left out."""


class Candidate(Record):
    """One of the N answers that a scaffold chose from."""

    group: str | None = Field(description="Class of equivalent answers; None: no answer, which has no vote.")
    verifier: float = Field(description="The verifier's score; higher is better.")
    score: float | None = Field(description="The grader's score 0..1; None: the grader failed.")


class Selection(Record):
    """One best-of-N request: what there was to choose from, and what was chosen."""

    prompt_id: str
    candidates: list[Candidate] = Field(min_length=1)
    selected: int = Field(ge=0, description="Index into candidates.")

    @model_validator(mode="after")
    def _selected_exists(self) -> Self:
        if self.selected >= len(self.candidates):
            raise ValueError(f"selected is {self.selected}, but there are only {len(self.candidates)} candidates")
        return self


def summarise_scores(
    rollouts: Mapping[str, Sequence[Rollout]], prompts: Mapping[str, Prompt], seed: int
) -> dict[str, dict[str, Score]]:
    """Scores per cell and benchmark: 'all' (micro average), each domain, and 'macro' (domains count equally).

    Samples whose verdict is an error are left out (see `count_errors`); a benchmark without a verdict has no score.
    Raises ValueError when a rollout answers a question that is not in `prompts`.
    """
    return {cell: _cell_scores(rows, prompts, seed) for cell, rows in rollouts.items()}


def score_of(rows: Sequence[Rollout], seed: int) -> Score | None:
    """The micro average over all questions of the rows; None when no sample has a verdict."""
    means = _question_means(rows)
    return _score([sorted(means)], means, _graded_rows(rows), seed) if means else None


def summarise_deltas(
    rollouts: Mapping[str, Sequence[Rollout]],
    prompts: Mapping[str, Prompt],
    seed: int,
    steps: Sequence[tuple[str, str]] = PILLAR_STEPS,
) -> list[Delta]:
    """Score of `to` minus score of `from`, paired by question, per step and benchmark. p is not yet corrected."""
    means = {cell: _known_means(rows, prompts) for cell, rows in rollouts.items()}
    deltas = []
    for before, after in steps:
        if before not in means or after not in means:
            continue
        shared = sorted(means[before].keys() & means[after].keys())
        for benchmark, strata in _benchmarks(shared, prompts).items():
            first, second = ([_column(means[cell], ids) for ids in strata] for cell in (before, after))
            found = paired_difference(first, second, seed)
            ci95 = (found.low, found.high)
            deltas.append(Delta(from_=before, to=after, benchmark=benchmark, delta=found.delta, ci95=ci95, p=found.p))
    return deltas


def summarise_selection(selections: Sequence[Selection]) -> VerifierSummary | None:
    """What the verifier's choice is worth beside a majority vote and beside the best candidate (oracle).

    Accuracies are means over questions. A request with an ungraded candidate is left out, so that N stays the same
    for all. `pair_accuracy` counts right/wrong pairs inside one request; without any pair it is 0.5, a coin.
    None when no request is left.
    """
    per_question: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    wins, pairs = 0.0, 0
    for selection in selections:
        scores = [c.score for c in selection.candidates if c.score is not None]
        if len(scores) != len(selection.candidates):
            continue
        groups = [candidate.group for candidate in selection.candidates]
        row = (scores[selection.selected], majority_score(groups, scores), max(scores))
        per_question[selection.prompt_id].append(row)
        right = [c.verifier for c in selection.candidates if c.score == 1]
        wrong = [c.verifier for c in selection.candidates if c.score == 0]
        won, seen = pair_accuracy(right, wrong)
        wins, pairs = wins + won, pairs + seen
    if not per_question:
        return None
    selected, majority, oracle = np.mean([np.mean(rows, axis=0) for rows in per_question.values()], axis=0)
    return VerifierSummary(
        pair_accuracy=wins / pairs if pairs else 0.5,
        selected=float(selected), majority=float(majority), oracle=float(oracle),
    )  # fmt: skip


def count_errors(rollouts: Mapping[str, Sequence[Rollout]]) -> dict[str, int]:
    """Samples per cell that no average counts, because the engine or the grader failed on them."""
    return {cell: sum(not _graded(row) for row in rows) for cell, rows in rollouts.items()}


def _cell_scores(rows: Sequence[Rollout], prompts: Mapping[str, Prompt], seed: int) -> dict[str, Score]:
    means, graded = _known_means(rows, prompts), _graded_rows(rows)
    return {
        benchmark: _score(strata, means, graded, seed)
        for benchmark, strata in _benchmarks(sorted(means), prompts).items()
    }


def _score(
    strata: Sequence[Sequence[str]], means: Mapping[str, float], graded: Mapping[str, Sequence[Rollout]], seed: int
) -> Score:
    found = mean_interval([_column(means, ids) for ids in strata], seed)
    kept = [row for ids in strata for question in ids for row in graded[question]]
    return Score(
        mean=found.mean,
        ci95=(found.low, found.high),
        questions=found.questions,
        samples=len(kept),
        mean_tokens=float(np.mean([row.tokens for row in kept])),
        truncated=float(np.mean([row.finish_reason == "length" for row in kept])),
    )


def _graded(row: Rollout) -> bool:
    return row.verdict.score is not None and row.verdict.status != "error" and row.finish_reason != "error"


def _graded_rows(rows: Sequence[Rollout]) -> dict[str, list[Rollout]]:
    graded: dict[str, list[Rollout]] = defaultdict(list)
    for row in rows:
        if _graded(row):
            graded[row.prompt_id].append(row)
    return graded


def _known_means(rows: Sequence[Rollout], prompts: Mapping[str, Prompt]) -> dict[str, float]:
    for row in rows:
        if row.prompt_id not in prompts:
            raise ValueError(
                f"rollout of question {row.prompt_id!r} has no prompt; pass the prompts that the cell was run on"
            )
    return _question_means(rows)


def _question_means(rows: Sequence[Rollout]) -> dict[str, float]:
    """Mean score of every question that has at least one verdict."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if _graded(row) and row.verdict.score is not None:
            found[row.prompt_id].append(row.verdict.score)
    if not found:
        return {}
    width = max(map(len, found.values()))
    table = np.array([scores + [np.nan] * (width - len(scores)) for scores in found.values()], dtype=float)
    return dict(zip(found, question_means(table).tolist(), strict=True))


def _benchmarks(ids: Sequence[str], prompts: Mapping[str, Prompt]) -> dict[str, list[list[str]]]:
    """Benchmark name to strata of question ids, for benchmarks that have questions."""
    by_domain = {domain: [i for i in ids if prompts[i].domain == domain] for domain in DOMAINS}
    present = {domain: found for domain, found in by_domain.items() if found}
    if not present:
        return {}
    return {ALL: [list(ids)], **{domain: [found] for domain, found in present.items()}, MACRO: list(present.values())}


def _column(means: Mapping[str, float], ids: Sequence[str]) -> Array:
    return np.array([means[i] for i in ids], dtype=float)
