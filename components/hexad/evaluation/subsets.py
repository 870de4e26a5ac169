"""Scores of a benchmark's clean and contaminated items beside those of all."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from hexad.evaluation.summarise import score_of
from hexad.records import Rollout, Score, SubsetName, Subsets, SubsetScores


def summarise_subsets(
    rollouts: Mapping[str, Sequence[Rollout]], subsets: Mapping[str, Subsets], seed: int
) -> dict[str, dict[SubsetName, SubsetScores]]:
    """Per benchmark and subset: the number of its items, and every cell's score on those that it was asked.

    A subset that is empty, or of which a cell has no verdict, has no score of that cell.
    """
    by_question = {cell: _by_question(rows) for cell, rows in rollouts.items()}
    return {
        name: {
            subset: SubsetScores(items=len(ids), scores=_scores(by_question, ids, seed))
            for subset, ids in found.ids().items()
        }
        for name, found in subsets.items()
    }


def _scores(cells: Mapping[str, Mapping[str, list[Rollout]]], ids: Sequence[str], seed: int) -> dict[str, Score]:
    found = {cell: score_of([row for id_ in ids for row in rows.get(id_, ())], seed) for cell, rows in cells.items()}
    return {cell: score for cell, score in found.items() if score is not None}


def _by_question(rows: Iterable[Rollout]) -> dict[str, list[Rollout]]:
    found: dict[str, list[Rollout]] = defaultdict(list)
    for row in rows:
        found[row.prompt_id].append(row)
    return found
