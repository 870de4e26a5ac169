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

    async def sample(self, work: Work) -> Stop:
        """Why sampling ended. When this returns or raises, no stream is open."""
        policy, request = work.request.policy, work.request
        if not policy.plan_after:
            await self._plan_for_all(work)

        async def write(i: int) -> None:
            if policy.plan == "per_sample" and i >= policy.plan_after and not work.easy:
                work.own_plan[i] = await self._planner.plan(work, request.turns(), i)
            # what runs before the shared plan is made goes without
            plan = work.own_plan.get(i, work.shared_plan)
            sent = request.messages if plan is None else request.with_turns(with_plan(request.turns(), plan))
            await self._write(work, i, sent)

        async def decided() -> bool:
            return policy.early_stop and _is_decided(work, await self._agreement(work))

        writers = [lambda i=i: write(i) for i in range(policy.n)]
        everyone = policy.n if policy.confidence is None else unanimous_for(policy.confidence, policy.n)
        with work.timed("candidates"):
            return await run_candidates(
                writers,
                work.until,
                decided,
                first=policy.plan_after or everyone,
                then=policy.n if policy.confidence is None else 1,
                between=lambda: self._between(work),
            )

    async def _between(self, work: Work) -> Stop | None:
        """When all that were started have ended: why no more are needed, or what the next ones need."""
        policy, sizes = work.request.policy, await self._agreement(work)
        started = sum(draft.started for draft in work.drafts)
        if started == policy.plan_after and sizes == [started]:
            work.easy = True
            self._metrics.plans.labels("skipped").inc()
        if policy.confidence is not None and sizes and confidence(max(sizes), started) >= policy.confidence:
            return "confident"
        if policy.early_stop and _is_decided(work, sizes):
            return "agreed"
        if started == policy.plan_after and not work.easy:
            await self._plan_for_all(work)
        return None

    async def _plan_for_all(self, work: Work) -> None:
        if work.request.policy.plan == "shared":
            with work.timed("plan"):
                work.shared_plan = await self._planner.plan(work, work.request.turns(), 0)

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
                        payload = work.request.sampling | {"messages": messages}
                        await self._upstream.write(payload, draft, on_delta, work.until)
                finally:
                    count(span, tokens=draft.tokens, finish=draft.finish_reason or "none")
        except UpstreamError as error:
            draft.error = error
            self._metrics.upstream_errors.labels("candidate").inc()
        work.emit({"type": "candidate", "index": i, "answer": split(draft.raw).answer, "tokens": draft.tokens,
                   "finish_reason": "error" if draft.error else draft.finish_reason})  # fmt: skip

    async def _agreement(self, work: Work) -> list[int]:
        """Sizes of the groups of equivalent answers among the candidates that are finished and complete."""
        done = [ballot_of(d, split(d.raw)) for d in work.drafts if d.finish_reason is not None and d.error is None]
        answers = [b.answer for b in done if tier(b) == 0]
        return list(Counter(await asyncio.to_thread(self._group, answers)).values()) if answers else []


def _is_decided(work: Work, sizes: list[int]) -> bool:
    """Whether these groups' majority cannot be overtaken by the candidates that are not finished."""
    running = sum(d.finish_reason is None and d.error is None for d in work.drafts)
    return sum(sizes) >= 2 and majority_is_fixed(sizes, running)
