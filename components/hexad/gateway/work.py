"""What one request has produced so far: readable at any moment, also after the request failed or was given up."""

import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hexad.chat import Parts
from hexad.gateway.report import Finish, Stop
from hexad.gateway.request import ChatRequest
from hexad.gateway.select import Ballot
from hexad.gateway.slots import Ticket
from hexad.gateway.upstream import Draft
from hexad.gateway.usage import Usage, of_drafts

Emit = Callable[[dict[str, Any]], None]
_ANSWER_TAG = re.compile(r"</?answer>")


@dataclass
class Planned:
    """One planning call and what became of it."""

    draft: Draft
    plan: str | None = None
    note: str = ""


@dataclass
class Work:
    """The state of one request in the scaffold; candidate i writes drafts[i]."""

    request: ChatRequest
    ticket: Ticket
    emit: Emit
    drafts: list[Draft]
    until: float = math.inf
    """When sampling stops, in the event loop's time; set when work begins."""
    plans: list[Planned] = field(default_factory=list)
    shared_plan: str | None = None
    easy: bool = False
    """The candidates that were sampled before planning agree, so there is no plan."""
    own_plan: dict[int, str | None] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    scoring: Usage = field(default_factory=Usage)
    selector_note: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of the stages that are over: plan (a shared one), candidates, verify, select."""

    @classmethod
    def begin(cls, request: ChatRequest, ticket: Ticket, emit: Emit) -> "Work":
        """Candidate i is sampled with the request's seed + i."""
        return cls(request, ticket, emit, [Draft(request.seed + i) for i in range(request.policy.n)])

    def stages(self) -> dict[str, Usage]:
        """What each stage has read and written up to now."""
        return {
            "plan": of_drafts(p.draft for p in self.plans),
            "candidate": of_drafts(self.drafts),
            "verifier": self.scoring,
        }

    def usage(self) -> Usage:
        """Everything together."""
        return sum(self.stages().values(), Usage())

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Adds the seconds within to `seconds[name]`."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started


def visible_text(parts: Parts) -> str:
    """What a client is shown of a response: the text after the thinking, without answer tags."""
    return _ANSWER_TAG.sub("", parts.visible).strip()


def ballot_of(draft: Draft, parts: Parts) -> Ballot:
    """What selection may know of a draft."""
    return Ballot(
        text=draft.raw,
        answer=parts.answer or None,
        visible=bool(visible_text(parts)),
        truncated=draft.finish_reason != "stop",
    )


def finish_of(draft: Draft, stop: Stop) -> Finish:
    """How a draft ended, given why sampling did."""
    if draft.error is not None:
        return "error"
    if draft.finish_reason is None:
        return "deadline" if stop == "deadline" else "cancelled"
    return "stop" if draft.finish_reason == "stop" else "length"
