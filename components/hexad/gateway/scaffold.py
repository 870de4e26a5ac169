"""Plan → N candidates → score → select, for one request."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hexad.chat import Parts, plan_request, split, with_plan
from hexad.gateway.candidates import confidence, majority_is_fixed, run_candidates, unanimous_for
from hexad.gateway.config import GatewayConfig, Selector
from hexad.gateway.errors import ApiError
from hexad.gateway.metrics import Metrics
from hexad.gateway.plan import usable_plan
from hexad.gateway.report import CandidateReport, Finish, ScaffoldReport, Stop
from hexad.gateway.request import ChatRequest
from hexad.gateway.scorer import Scorer, ScorerError
from hexad.gateway.select import Ballot, Grouping, contenders, select, tier
from hexad.gateway.slots import Ticket
from hexad.gateway.upstream import Draft, Upstream, UpstreamError
from hexad.gateway.usage import Usage, of_drafts
from hexad.records import Message

Emit = Callable[[dict[str, Any]], None]
_ANSWER_TAG = re.compile(r"</?answer>")
_NOT_FOR_PLANS = {"stop", "min_tokens", "ignore_eos", "thinking_token_budget"}


@dataclass(frozen=True)
class Outcome:
    """The answer to one request, and how it came about."""

    content: str
    reasoning: str
    finish_reason: str
    usage: Usage
    report: ScaffoldReport


@dataclass
class _Planned:
    """One planning call and what became of it."""

    draft: Draft
    plan: str | None = None
    note: str = ""


@dataclass
class _Work:
    """Everything that one request has produced so far."""

    request: ChatRequest
    ticket: Ticket
    until: float
    emit: Emit
    drafts: list[Draft]
    plans: list[_Planned] = field(default_factory=list)
    own_plan: dict[int, str | None] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    scoring: Usage = field(default_factory=Usage)
    note: str = ""


class Scaffold:
    """Answers requests; holds no state of any of them."""

    def __init__(
        self, config: GatewayConfig, upstream: Upstream, scorer: Scorer | None, group: Grouping, metrics: Metrics
    ) -> None:
        self._config = config
        self._upstream = upstream
        self._scorer = scorer
        self._group = group
        self._metrics = metrics

    async def solve(self, request: ChatRequest, ticket: Ticket, emit: Emit) -> Outcome:
        """Raises ApiError when there is nothing to answer with: 400, 502, 503 or 504."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        policy = request.policy
        work = _Work(
            request, ticket, started + policy.deadline_s, emit, [Draft(request.seed + i) for i in range(policy.n)]
        )
        turns, messages, shared = request.turns(), request.messages, None
        if policy.plan == "shared":
            shared = await self._plan(work, turns, 0)
            if shared is not None:
                messages = request.with_turns(with_plan(turns, shared))

        async def write(i: int) -> None:
            sent = messages
            if policy.plan == "per_sample":
                work.own_plan[i] = plan = await self._plan(work, turns, i)
                sent = messages if plan is None else request.with_turns(with_plan(turns, plan))
            await self._write(work, i, sent)

        async def decided() -> bool:
            return policy.early_stop and await self._is_decided(work)

        writers = [lambda i=i: write(i) for i in range(policy.n)]
        first = policy.n if policy.confidence is None else unanimous_for(policy.confidence, policy.n)
        stop = await run_candidates(writers, work.until, decided, first, lambda: self._is_confident(work))
        alive = [i for i, draft in enumerate(work.drafts) if draft.error is None]
        _check_any(work, alive, stop)
        parts = [split(draft.raw) for draft in work.drafts]
        ballots = [_ballot(work.drafts[i], parts[i]) for i in alive]
        used = await self._score(work, turns, alive, ballots)
        ballots = [
            ballot.model_copy(update={"score": work.scores.get(i)}) for i, ballot in zip(alive, ballots, strict=True)
        ]
        selection = await asyncio.to_thread(select, ballots, self._group, used, request.seed)
        selected = alive[selection.index]
        emit({"type": "selected", "index": selected, "reason": selection.reason})
        labels = dict(zip(alive, selection.groups, strict=True))
        finishes = [_finish(draft, stop) for draft in work.drafts]
        report = ScaffoldReport(
            plan=shared,
            plan_note="; ".join(sorted({p.note for p in work.plans if p.note})),
            plan_tokens=sum(p.draft.tokens for p in work.plans),
            candidates=[self._describe(work, i, parts[i], finishes[i]) for i in range(policy.n)],
            selected=selected,
            reason=selection.reason,
            selector=used,
            selector_note=work.note,
            groups=[labels.get(i) for i in range(policy.n)],
            n_launched=sum(draft.started for draft in work.drafts),
            n_completed=sum(finish in ("stop", "length") for finish in finishes),
            stop=stop,
            tokens_saved=_saved(work.drafts, finishes),
            seed=request.seed,
            seconds=round(loop.time() - started, 3),
        )
        self._metrics.observe(report)
        usage = of_drafts([p.draft for p in work.plans]) + of_drafts(work.drafts) + work.scoring
        won = report.candidates[selected]
        finish_reason = "stop" if won.finish_reason == "stop" else "length"
        return Outcome(won.content, won.reasoning, finish_reason, usage, report)

    async def _plan(self, work: _Work, turns: list[Message], i: int) -> str | None:
        """A plan, or None: planning may fail, the question is answered all the same."""
        request, config = work.request, self._config
        shared = request.policy.plan == "shared"
        planned = _Planned(Draft(request.seed + i))
        work.plans.append(planned)
        sampling = {k: v for k, v in request.sampling.items() if k not in _NOT_FOR_PLANS}
        payload = sampling | {
            "messages": request.with_turns(plan_request(turns)),
            "max_tokens": request.policy.plan_max_tokens,
            "temperature": config.plan_temperature if shared else request.sampling["temperature"],
        }
        try:
            async with asyncio.timeout(request.policy.deadline_s * config.plan_share), work.ticket.call():
                await self._upstream.write(payload, planned.draft, lambda *_: None, work.until)
            planned.plan, planned.note = usable_plan(planned.draft.raw)
        except UpstreamError as error:
            self._metrics.upstream_errors.labels("plan").inc()
            planned.note = f"planning failed: {error}"
        except TimeoutError:
            planned.note = "planning took too long and was given up"
        self._metrics.plans.labels("used" if planned.plan else "dropped").inc()
        work.emit({"type": "plan", "candidate": None if shared else i, "text": planned.plan, "note": planned.note})
        return planned.plan

    async def _write(self, work: _Work, i: int, messages: list[dict[str, Any]]) -> None:
        """Candidate i. An engine failure stays in its draft, so that the others still count."""
        draft = work.drafts[i]

        def on_delta(part: str, text: str) -> None:
            work.emit({"type": "delta", "candidate": i, "field": part, "text": text})

        try:
            async with work.ticket.call():
                await self._upstream.write(work.request.sampling | {"messages": messages}, draft, on_delta, work.until)
        except UpstreamError as error:
            draft.error = error
            self._metrics.upstream_errors.labels("candidate").inc()
        work.emit({"type": "candidate", "index": i, "answer": split(draft.raw).answer, "tokens": draft.tokens,
                   "finish_reason": "error" if draft.error else draft.finish_reason})  # fmt: skip

    async def _is_decided(self, work: _Work) -> bool:
        """Whether the finished candidates' agreement cannot be overtaken by those that still run."""
        running = sum(d.finish_reason is None and d.error is None for d in work.drafts)
        sizes = await self._agreement(work)
        return sum(sizes) >= 2 and majority_is_fixed(sizes, running)

    async def _is_confident(self, work: _Work) -> bool:
        """Whether the candidates agree as much as was asked for; without a wish, all are sampled."""
        wanted, sizes = work.request.policy.confidence, await self._agreement(work)
        return (
            wanted is not None and bool(sizes) and confidence(max(sizes), sum(d.started for d in work.drafts)) >= wanted
        )

    async def _agreement(self, work: _Work) -> list[int]:
        """Sizes of the groups of equivalent answers among the candidates that are finished and complete."""
        done = [_ballot(d, split(d.raw)) for d in work.drafts if d.finish_reason is not None and d.error is None]
        answers = [b.answer for b in done if tier(b) == 0]
        return list(Counter(await asyncio.to_thread(self._group, answers)).values()) if answers else []

    async def _score(self, work: _Work, turns: list[Message], alive: list[int], ballots: list[Ballot]) -> Selector:
        """Fill `work.scores` for those that may win; the selector that can be applied afterwards."""
        wanted = work.request.policy.selector
        best = contenders(ballots)
        running, answers = [alive[i] for i in best], [ballots[i].answer for i in best]
        if wanted == "majority" or self._scorer is None or len(running) == 1:
            return wanted
        if wanted == "hybrid" and None not in answers and len(set(await asyncio.to_thread(self._group, answers))) == 1:
            work.note = "all agree, so the verifier was not asked"
            return "majority"
        try:
            reply = await self._scorer.score(turns, [work.drafts[i].raw for i in running])
        except ScorerError as error:
            work.note = f"{error}; majority instead"
            self._metrics.scorer_failures.inc()
            return "majority"
        work.scores = dict(zip(running, reply.scores, strict=True))
        work.scoring = Usage(reply.usage.prompt_tokens, reply.usage.completion_tokens)
        work.emit({"type": "scores", "scores": [work.scores.get(i) for i in range(len(work.drafts))]})
        return wanted

    def _describe(self, work: _Work, i: int, parts: Parts, finish: Finish) -> CandidateReport:
        draft = work.drafts[i]
        return CandidateReport(
            content=_ANSWER_TAG.sub("", parts.visible).strip(),
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


def _ballot(draft: Draft, parts: Parts) -> Ballot:
    visible = bool(_ANSWER_TAG.sub("", parts.visible).strip())
    return Ballot(text=draft.raw, answer=parts.answer or None, visible=visible, truncated=draft.finish_reason != "stop")


def _finish(draft: Draft, stop: Stop) -> Finish:
    if draft.error is not None:
        return "error"
    if draft.finish_reason is None:
        return "deadline" if stop == "deadline" else "cancelled"
    return "stop" if draft.finish_reason == "stop" else "length"


def _check_any(work: _Work, alive: list[int], stop: Stop) -> None:
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
