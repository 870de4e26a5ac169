"""Plan → N candidates → score → select, for one request."""

import asyncio
from dataclasses import dataclass

from hexad.chat import Parts, split
from hexad.gateway.backends.upstream import Draft, Upstream
from hexad.gateway.config import GatewayConfig
from hexad.gateway.errors import ApiError
from hexad.gateway.scaffold.planning import Planner
from hexad.gateway.scaffold.report import CandidateReport, Finish, ScaffoldReport, Stop
from hexad.gateway.scaffold.sampling import Sampler
from hexad.gateway.scaffold.scoring import Verifier, score
from hexad.gateway.scaffold.select import Ballot, Grouping, group_ballots, select
from hexad.gateway.scaffold.work import Work, ballot_of, finish_of, visible_text
from hexad.gateway.telemetry.metrics import Metrics
from hexad.gateway.telemetry.tracing import count, stage
from hexad.gateway.usage import Usage


@dataclass(frozen=True)
class Outcome:
    """The answer to one request, and how it came about."""

    content: str
    reasoning: str
    finish_reason: str
    usage: Usage
    report: ScaffoldReport


class Scaffold:
    """Answers requests; holds no state of any of them."""

    def __init__(
        self, config: GatewayConfig, upstream: Upstream, verifier: Verifier, group: Grouping, metrics: Metrics
    ) -> None:
        self._sampler = Sampler(upstream, Planner(config, upstream, metrics), group, metrics)
        self._verifier = verifier
        self._group = group
        self._metrics = metrics

    async def solve(self, work: Work) -> Outcome:
        """Raises ApiError when there is nothing to answer with: 400, 502, 503 or 504."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        work.until = started + work.request.policy.deadline_s
        stop = await self._sampler.sample(work)
        alive = [i for i, draft in enumerate(work.drafts) if draft.error is None]
        _check_any(work, alive, stop)
        parts = [split(draft.raw) for draft in work.drafts]
        ballots = [ballot_of(work.drafts[i], parts[i]) for i in alive]
        with work.timed("select"):
            groups = await self._grouped(ballots)
        used = await score(work, self._verifier, alive, groups, self._metrics)
        ballots = [b.model_copy(update={"score": work.scores.get(i)}) for i, b in zip(alive, ballots, strict=True)]
        with work.timed("select"), stage("select", selector=used, candidates=len(alive)) as span:
            selection = select(ballots, groups, used, work.request.seed)
            selected = alive[selection.index]
            count(span, selected=selected, agreeing=groups.count(groups[selection.index]))
        work.emit({"type": "selected", "index": selected, "reason": selection.reason})
        labels = dict(zip(alive, groups, strict=True))
        finishes = [finish_of(draft, stop) for draft in work.drafts]
        spent = work.stages()
        report = ScaffoldReport(
            plan=work.shared_plan,
            plan_note=_plan_note(work),
            plan_tokens=spent["plan"].completion,
            verifier_tokens=spent["verifier"].completion,
            verifier_prompt_tokens=spent["verifier"].prompt,
            candidates=[_describe(work, i, parts[i], finish) for i, finish in enumerate(finishes)],
            selected=selected,
            reason=selection.reason,
            selector=used,
            selector_note=work.selector_note,
            groups=[labels.get(i) for i in range(len(work.drafts))],
            n_launched=sum(draft.started for draft in work.drafts),
            n_completed=sum(finish in ("stop", "length") for finish in finishes),
            stop=stop,
            tokens_saved=_saved(work.drafts, finishes),
            seed=work.request.seed,
            seconds=round(loop.time() - started, 3),
            stage_seconds={name: round(seconds, 4) for name, seconds in work.seconds.items()},
        )
        won = report.candidates[selected]
        finish_reason = "stop" if won.finish_reason == "stop" else "length"
        return Outcome(won.content, won.reasoning, finish_reason, work.usage(), report)

    async def _grouped(self, ballots: list[Ballot]) -> list[int | None]:
        """As `group_ballots`; in a thread, since telling whether answers are equivalent may take its time."""
        return [0] if len(ballots) == 1 else await asyncio.to_thread(group_ballots, ballots, self._group)


def _describe(work: Work, i: int, parts: Parts, finish: Finish) -> CandidateReport:
    draft = work.drafts[i]
    return CandidateReport(
        content=visible_text(parts),
        reasoning=parts.thinking.strip(),
        answer=parts.answer,
        score=work.scores.get(i),
        finish_reason=finish,
        tokens=draft.tokens,
        seed=draft.seed,
        plan=work.own_plan.get(i),
        error=str(draft.error) if draft.error else None,
        raw=draft.raw if work.request.policy.raw else None,
    )


def _plan_note(work: Work) -> str:
    after = work.request.policy.plan_after
    notes = sorted({p.note for p in work.plans if p.note})
    if work.easy:
        notes.append(f"the first {after} candidates agree, so there is no plan")
    elif after and work.plans:
        notes.append(f"made after the first {after} candidates, which did not agree")
    return "; ".join(notes)


def _check_any(work: Work, alive: list[int], stop: Stop) -> None:
    """Raise ApiError unless some candidate can be answered with."""
    errors = [draft.error for draft in work.drafts if draft.error is not None]
    if not alive:
        first, statuses = errors[0], {error.status for error in errors}
        if statuses <= {400, 413, 422}:
            raise ApiError(400, str(first), code="upstream_rejected")
        if statuses <= {429, 503}:
            raise ApiError(503, str(first), code="upstream_busy", retry_after_s=first.retry_after_s or 1.0)
        raise ApiError(502, f"all {len(errors)} candidates failed; the first: {first}", code="upstream_error")
    if stop == "deadline" and not any(work.drafts[i].raw for i in alive):
        seconds = work.request.policy.deadline_s
        raise ApiError(504, f"the engine wrote nothing within the deadline of {seconds:g} s", code="deadline_exceeded")


def _saved(drafts: list[Draft], finishes: list[Finish]) -> int:
    whole = [d.tokens for d, finish in zip(drafts, finishes, strict=True) if finish in ("stop", "length")]
    cut = [d.tokens for d, finish in zip(drafts, finishes, strict=True) if finish == "cancelled"]
    return sum(max(0, sum(whole) // len(whole) - tokens) for tokens in cut) if whole else 0
