"""The planning calls of one request."""

import asyncio

from hexad.chat import plan_request
from hexad.gateway.config import GatewayConfig
from hexad.gateway.metrics import Metrics
from hexad.gateway.plan import usable_plan
from hexad.gateway.tracing import count, stage
from hexad.gateway.upstream import Draft, Upstream, UpstreamError
from hexad.gateway.work import Planned, Work
from hexad.records import Message

_NOT_FOR_PLANS = {"stop", "min_tokens", "ignore_eos", "thinking_token_budget"}


class Planner:
    """Asks the engine for plans."""

    def __init__(self, config: GatewayConfig, upstream: Upstream, metrics: Metrics) -> None:
        self._config = config
        self._upstream = upstream
        self._metrics = metrics

    async def plan(self, work: Work, turns: list[Message], i: int) -> str | None:
        """The plan for candidate i, or None: planning may fail, the question is answered all the same."""
        request, config = work.request, self._config
        shared = request.policy.plan == "shared"
        planned = Planned(Draft(request.seed + i))
        work.plans.append(planned)
        sampling = {k: v for k, v in request.sampling.items() if k not in _NOT_FOR_PLANS}
        payload = sampling | {
            "messages": request.with_turns(plan_request(turns)),
            "max_tokens": request.policy.plan_max_tokens,
            "temperature": config.plan_temperature if shared else request.sampling["temperature"],
        }
        try:
            with stage("plan", candidate=-1 if shared else i) as span:
                async with asyncio.timeout(request.policy.deadline_s * config.plan_share), work.ticket.call():
                    on_text = self._metrics.first_text("plan")
                    await self._upstream.write(payload, planned.draft, lambda *_: on_text(), work.until)
                planned.plan, planned.note = usable_plan(planned.draft.raw)
                count(span, tokens=planned.draft.tokens, used=planned.plan is not None)
        except UpstreamError as error:
            self._metrics.upstream_errors.labels("plan").inc()
            planned.note = f"planning failed: {error}"
        except TimeoutError:
            planned.note = "planning took too long and was given up"
        self._metrics.plans.labels("used" if planned.plan else "dropped").inc()
        work.emit({"type": "plan", "candidate": None if shared else i, "text": planned.plan, "note": planned.note})
        return planned.plan
