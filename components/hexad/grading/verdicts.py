"""Making verdicts, and the outcome that comparators hand back."""

from dataclasses import dataclass

from hexad.records import Status, Verdict

VERSION = "3"


@dataclass(frozen=True)
class Outcome:
    """What one comparison found. `score` differs from 0 and 1 only where partial credit exists (grids)."""

    status: Status
    score: float | None
    reason: str = ""


CORRECT = Outcome("correct", 1.0)


def incorrect(reason: str, score: float = 0.0) -> Outcome:
    return Outcome("incorrect", score, reason)


def unanswered(reason: str) -> Outcome:
    return Outcome("no_answer", 0.0, reason)


def failed(reason: str) -> Outcome:
    """The grader could not judge: broken gold or infrastructure. Never the model's fault, so there is no score."""
    return Outcome("error", None, reason)


def matched(equal: bool, reason: str) -> Outcome:
    return CORRECT if equal else incorrect(reason)


def verdict(outcome: Outcome, extracted: str | None, how: str) -> Verdict:
    detail = _encodable("; ".join(part for part in (how, outcome.reason) if part))
    shown = None if extracted is None else _encodable(extracted)
    return Verdict(status=outcome.status, score=outcome.score, extracted=shown, detail=detail, version=VERSION)


def _encodable(text: str) -> str:
    """Half of a surrogate pair is legal in JSON and so in a model's text, but UTF-8 has none: "?" instead."""
    return text.encode("utf-8", "replace").decode()


def is_correct(judged: Verdict) -> bool:
    return judged.status == "correct"
