"""The candidates of one request: planned, written side by side, stopped as soon as the rest cannot matter."""

import asyncio
from collections import Counter
from typing import Any

from hexad.chat import split, with_plan
from hexad.gateway.candidates import confidence, majority_is_fixed, run_candidates, unanimous_for
from hexad.gateway.metrics import Metrics
from hexad.gateway.planning import Planner
from hexad.gateway.report import Stop
from hexad.gateway.select import Grouping, tier
from hexad.gateway.tracing import count, stage
from hexad.gateway.upstream import Upstream, UpstreamError
from hexad.gateway.work import Work, ballot_of


class Sampler:
    """Fills the drafts of a request."""

    def __init__(self, upstream: Upstream, planner: Planner, group: Grouping, metrics: Metrics) -> None:
        self._upstream = upstream
        self._planner = planner
        self._group = group
        self._metrics = metrics

    async def sample(self, work: Work, until: float) -> Stop:
        """Why sampling ended; `until` is in the event loop's time. When this returns or raises, no stream is open."""
        policy, request = work.request.policy, work.request
        turns = request.turns()
        if policy.plan == "shared":
            with work.timed("plan"):
                work.shared_plan = await self._planner.plan(work, turns, 0)

        async def write(i: int) -> None:
            if policy.plan == "per_sample":
                work.own_plan[i] = await self._planner.plan(work, turns, i)
            plan = work.own_plan.get(i, work.shared_plan)
            await self._write(work, i, request.messages if plan is None else request.with_turns(with_plan(turns, plan)))

        async def decided() -> bool:
            return policy.early_stop and await self._is_decided(work)

        writers = [lambda i=i: write(i) for i in range(policy.n)]
        first = policy.n if policy.confidence is None else unanimous_for(policy.confidence, policy.n)
        with work.timed("candidates"):
            return await run_candidates(writers, until, decided, first, lambda: self._is_confident(work))

    async def _write(self, work: Work, i: int, messages: list[dict[str, Any]]) -> None:
        """Candidate i. An engine failure stays in its draft, so that the others still count."""
        draft = work.drafts[i]

        def on_delta(part: str, text: str) -> None:
            on_text()
            work.emit({"type": "delta", "candidate": i, "field": part, "text": text})

        try:
            with stage("candidate", candidate=i, seed=draft.seed) as span:
                try:
                    async with work.ticket.call():
                        on_text = self._metrics.first_text("candidate")
                        await self._upstream.write(work.request.sampling | {"messages": messages}, draft, on_delta)
                finally:
                    count(span, tokens=draft.tokens, finish=draft.finish_reason or "none")
        except UpstreamError as error:
            draft.error = error
            self._metrics.upstream_errors.labels("candidate").inc()
        work.emit({"type": "candidate", "index": i, "answer": split(draft.raw).answer, "tokens": draft.tokens,
                   "finish_reason": "error" if draft.error else draft.finish_reason})  # fmt: skip

    async def _is_decided(self, work: Work) -> bool:
        """Whether the finished candidates' agreement cannot be overtaken by those that still run."""
        running = sum(d.finish_reason is None and d.error is None for d in work.drafts)
        sizes = await self._agreement(work)
        return sum(sizes) >= 2 and majority_is_fixed(sizes, running)

    async def _is_confident(self, work: Work) -> bool:
        """Whether the candidates agree as much as was asked for; without a wish, all are sampled."""
        wanted, sizes = work.request.policy.confidence, await self._agreement(work)
        return (
            wanted is not None and bool(sizes) and confidence(max(sizes), sum(d.started for d in work.drafts)) >= wanted
        )

    async def _agreement(self, work: Work) -> list[int]:
        """Sizes of the groups of equivalent answers among the candidates that are finished and complete."""
        done = [ballot_of(d, split(d.raw)) for d in work.drafts if d.finish_reason is not None and d.error is None]
        answers = [b.answer for b in done if tier(b) == 0]
        return list(Counter(await asyncio.to_thread(self._group, answers)).values()) if answers else []
