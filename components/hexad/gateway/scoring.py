"""Ask the verifier about the candidates of one request, where its word can change the choice."""

from collections.abc import Sequence

from hexad.gateway.config import Selector
from hexad.gateway.metrics import Metrics
from hexad.gateway.scorer import Scorer, ScorerError
from hexad.gateway.tracing import count, stage
from hexad.gateway.usage import Usage
from hexad.gateway.work import Work


async def score(
    work: Work,
    scorer: Scorer | None,
    alive: Sequence[int],
    groups: Sequence[int | None],
    metrics: Metrics,
) -> Selector:
    """Fill `work.scores` of those that may win; the selector that can be applied afterwards.

    `groups` holds the group of each candidate in `alive`, None for those that cannot win (`select.group_ballots`).
    """
    wanted = work.request.policy.selector
    running = [i for i, label in zip(alive, groups, strict=True) if label is not None]
    if wanted == "majority" or scorer is None or len(running) == 1:
        return wanted
    if wanted == "hybrid" and len(set(groups) - {None}) == 1:
        work.selector_note = "all agree, so the verifier was not asked"
        return "majority"
    try:
        with stage("verify", candidates=len(running)) as span:
            reply = await scorer.score(work.request.turns(), [work.drafts[i].raw for i in running])
            count(span, prompt_tokens=reply.usage.prompt_tokens, completion_tokens=reply.usage.completion_tokens)
    except ScorerError as error:
        work.selector_note = f"{error}; majority instead"
        metrics.scorer_failures.inc()
        return "majority"
    work.scores = dict(zip(running, reply.scores, strict=True))
    work.scoring = Usage(reply.usage.prompt_tokens, reply.usage.completion_tokens)
    work.emit({"type": "scores", "scores": [work.scores.get(i) for i in range(len(work.drafts))]})
    return wanted
