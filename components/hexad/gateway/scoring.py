"""Ask the verifier about the candidates of one request, where its word can change the choice."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

from hexad.gateway.config import GatewayConfig, Selector
from hexad.gateway.judge import Judge
from hexad.gateway.metrics import Metrics
from hexad.gateway.scorer import Scorer, ScoreReply, ScorerError
from hexad.gateway.select import draw
from hexad.gateway.tracing import count, stage
from hexad.gateway.usage import Usage
from hexad.gateway.work import Work
from hexad.records import Message

Ask = Callable[[Sequence[Message], Sequence[str]], Awaitable[ScoreReply]]
"""Scores 0..1 of responses to a conversation; raises ScorerError."""


@dataclass(frozen=True)
class Verifier:
    """What the operator set up: `score` judges responses one by one, `prefer` against each other."""

    score: Ask | None = None
    prefer: Ask | None = None


def verifier_of(config: GatewayConfig, client: httpx.AsyncClient) -> Verifier:
    """The config's verifier; an empty one where there is none."""
    if config.scorer_url is None:
        return Verifier()
    if config.scorer == "labels":
        judge = Judge(client, config)
        return Verifier(judge.score, judge.prefer)
    return Verifier(Scorer(client, config.scorer_url, config.scorer_timeout_s).score)


async def score(
    work: Work, verifier: Verifier, alive: Sequence[int], groups: Sequence[int | None], metrics: Metrics
) -> Selector:
    """Fill `work.scores` of those that may win; the selector that can be applied afterwards.

    `groups` holds the group of each candidate in `alive`, None for those that cannot win (`select.group_ballots`).
    Under pairwise one candidate of each group, drawn by the seed, stands for all: equivalent answers need no contest.
    """
    wanted = work.request.policy.selector
    ask = verifier.prefer if wanted == "pairwise" else verifier.score
    group_of = {i: label for i, label in zip(alive, groups, strict=True) if label is not None}
    running = list(group_of)
    if wanted == "majority" or ask is None or len(running) == 1:
        return wanted
    if wanted != "verifier" and len(set(group_of.values())) == 1:
        work.selector_note = "all agree, so the verifier was not asked"
        return "majority"
    stands = {i: i for i in running}
    if wanted == "pairwise":
        ranked = sorted(running, key=lambda i: draw(work.request.seed, work.drafts[i].raw))
        of_group = {group_of[i]: i for i in ranked}
        stands = {i: of_group[group_of[i]] for i in running}
    asked = sorted(set(stands.values()))
    try:
        with work.timed("verify"), stage("verify", candidates=len(asked)) as span:
            reply = await ask(work.request.turns(), [work.drafts[i].raw for i in asked])
            count(span, prompt_tokens=reply.usage.prompt_tokens, completion_tokens=reply.usage.completion_tokens)
    except ScorerError as error:
        work.selector_note = f"{error}; majority instead"
        work.scoring = Usage(error.usage.prompt_tokens, error.usage.completion_tokens)
        metrics.scorer_failures.inc()
        return "majority"
    given = dict(zip(asked, reply.scores, strict=True))
    work.scores = {i: given[stands[i]] for i in running}
    work.scoring = Usage(reply.usage.prompt_tokens, reply.usage.completion_tokens)
    work.emit({"type": "scores", "scores": [work.scores.get(i) for i in range(len(work.drafts))]})
    return wanted
