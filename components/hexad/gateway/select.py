"""Choose one of N candidates. Pure, and blind to their order: a permutation of the input chooses the same text."""

import hashlib
import math
from collections.abc import Callable, Sequence

from pydantic import Field

from hexad.gateway.config import Selector
from hexad.records import Record

Grouping = Callable[[list[str | None]], list[int]]
"""Equal numbers for equivalent answers: `hexad.grading.group_answers`, the grader that also scores benchmarks."""


class Ballot(Record):
    """What selection may know of one candidate."""

    text: str = Field(description="The whole raw text; breaks ties, together with the seed.")
    answer: str | None = Field(description="The extracted answer; None where there is none.")
    visible: bool = Field(description="Something stands after the thinking.")
    truncated: bool = Field(description="Cut by the token limit or the deadline.")
    score: float | None = Field(None, description="The verifier's probability of being right, 0..1.")


class Selection(Record):
    """The chosen candidate, and why."""

    index: int
    reason: str


def tier(ballot: Ballot) -> int:
    """0: complete with an answer; 1: complete text; 2: truncated text; 3: nothing. A lower tier always wins."""
    if not ballot.visible and ballot.answer is None:
        return 2 if ballot.truncated and ballot.text else 3
    if ballot.truncated:
        return 2
    return 0 if ballot.answer is not None else 1


def contenders(ballots: Sequence[Ballot]) -> list[int]:
    """Indices of the candidates in the best tier that occurs: the only ones that may win."""
    best = min(tier(b) for b in ballots)
    return [i for i, b in enumerate(ballots) if tier(b) == best]


def group_ballots(ballots: Sequence[Ballot], group: Grouping) -> list[int | None]:
    """Group of each candidate by equivalent answer, from 0; None for those that cannot win.

    A candidate without an answer agrees with nobody but itself.
    """
    labels: list[int | None] = [None] * len(ballots)
    running = contenders(ballots)
    answered = [i for i in running if ballots[i].answer is not None]
    kinds: dict[int, int] = dict(zip(answered, group([ballots[i].answer for i in answered]), strict=True))
    numbers: dict[tuple[int, int], int] = {}
    for i in running:
        kind = (0, kinds[i]) if i in kinds else (1, i)
        labels[i] = numbers.setdefault(kind, len(numbers))
    return labels


def select(ballots: Sequence[Ballot], groups: Sequence[int | None], selector: Selector, seed: int) -> Selection:
    """Choose among the best tier, whose candidates `groups` numbers as `group_ballots` does.

    majority: the largest group of equivalent answers. hybrid: the group with the largest sum of scores, then of mean
    score. verifier: the largest single score. pairwise: the group that wins the most comparisons (a score that all its
    members share), then the largest. Inside the chosen group the best score wins. What is still tied is decided by
    sha256(seed, text): uniform over seeds, the same in any order (research/serve_eval.md §4.5 no. 7, 9).
    Without a score for every contender, all of them fall back to majority.

    Raises ValueError when there is no candidate.
    """
    if not ballots:
        raise ValueError("ballots: empty; select needs at least one candidate")
    running = [i for i, label in enumerate(groups) if label is not None]
    members_of = [[i for i in running if groups[i] == label] for label in dict.fromkeys(groups[i] for i in running)]
    if len(running) == 1:
        return Selection(index=running[0], reason=_only(ballots[running[0]], len(ballots)))
    scores = [ballots[i].score for i in running]
    scored = None not in scores
    effective: Selector = selector if scored else "majority"

    def rank(i: int) -> tuple[float, str]:
        score = ballots[i].score
        return (score if score is not None and effective != "majority" else 0.0, draw(seed, ballots[i].text))

    def weight(members: list[int]) -> tuple[float, float, str]:
        values = [s for i in members if (s := ballots[i].score) is not None]
        mean = math.fsum(values) / len(values) if values and effective != "majority" else 0.0
        if effective == "pairwise":
            return (mean, float(len(members)), max(draw(seed, ballots[i].text) for i in members))
        total = math.fsum(values) if effective == "hybrid" else float(len(members))
        return (total, mean, max(draw(seed, ballots[i].text) for i in members))

    if effective == "verifier":
        winner = max(running, key=rank)
        return Selection(index=winner, reason=f"verifier: score {ballots[winner].score:.3f}")
    chosen = max(members_of, key=weight)
    tied = sum(weight(members)[:2] == weight(chosen)[:2] for members in members_of) > 1
    reason = f"{effective}: {len(chosen)} of {len(running)} agree"
    if effective in ("hybrid", "pairwise"):
        reason += f", weight {weight(chosen)[0]:.3f}"
    return Selection(index=max(chosen, key=rank), reason=reason + (", tie broken by seed" if tied else ""))


def _only(ballot: Ballot, count: int) -> str:
    if count == 1:
        return "only candidate"
    return ("only complete answer", "only complete text", "only text, truncated", "nothing written")[tier(ballot)]


def draw(seed: int, text: str) -> str:
    """What orders texts that nothing else tells apart."""
    return hashlib.sha256(f"{seed}:{text}".encode("utf-8", "surrogatepass")).hexdigest()
