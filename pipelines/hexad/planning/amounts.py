"""Rows and tokens of each stage, from a recipe's counts."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hexad.evaluation.config import Cell, Group, group_of
from hexad.pipelines.recipe import Recipe
from hexad.planning.config import Assumptions

_TRACE_KINDS = ("am_thinking", "chat")
_SPECULATION_SIDES = 2


@dataclass(frozen=True)
class Data:
    """What curation leaves."""

    traces: int
    trace_tokens: float
    """All of them."""
    prompts: int
    unsized: tuple[str, ...]
    """Sources whose rows nobody told."""

    @property
    def trace_length(self) -> float:
        """Mean tokens of a trace."""
        return self.trace_tokens / self.traces if self.traces else 0.0


def data_of(recipe: Recipe) -> Data:
    """Traces and prompts, generated and from sources."""
    curate, plan, assumed = recipe.curate, recipe.plan, recipe.plan.assumptions
    mean = assumed.trace_share * curate.max_tokens
    # A trace with a plan comes twice: with the plan in the question, and asking for it.
    traces = round(curate.generated.traces * (1 + curate.plan_share))
    tokens, prompts, unsized = traces * mean, curate.generated.prompts, []
    prompts += sum(curate.generated.reasoning_gym.values())
    for source in curate.sources:
        size = plan.sources.get(source.id)
        known = [n for n in (size.rows if size else None, source.limit) if n is not None]
        if not known:
            unsized.append(source.id)
            continue
        rows = round(min(known) * assumed.kept_share)
        if source.kind in _TRACE_KINDS:
            traces += rows
            tokens += rows * min(size.tokens if size and size.tokens else mean, curate.max_tokens)
        else:
            prompts += rows
    return Data(traces, tokens, prompts, tuple(unsized))


@dataclass(frozen=True)
class TrainingRows:
    """What the sft stage sees."""

    rows: int
    row_tokens: float
    """Of a full row, as it lies in memory."""
    tokens: float
    """Of all epochs."""


def sft_rows(recipe: Recipe, data: Data) -> TrainingRows:
    """Rows of an epoch: packed, or a trace each."""
    packed = recipe.curate.pack_tokens
    if packed:
        rows = math.ceil(data.trace_tokens / (packed * recipe.plan.assumptions.packing_fill))
        return TrainingRows(rows, packed, data.trace_tokens * recipe.sft.epochs)
    return TrainingRows(data.traces, recipe.curate.max_tokens, data.trace_tokens * recipe.sft.epochs)


def response_tokens(limit: int, assumptions: Assumptions) -> float:
    """Mean tokens of a response."""
    return max(1.0, assumptions.response_share * limit)


def prompt_tokens(recipe: Recipe) -> float:
    """Mean tokens of a question."""
    return float(min(recipe.plan.assumptions.prompt_tokens, recipe.rlvr.max_prompt_tokens))


def rollout_length(recipe: Recipe) -> float:
    """Tokens of the longest rollout of a micro-batch with its question."""
    prompt = min(recipe.rlvr.max_prompt_tokens, recipe.plan.assumptions.longest_prompt * prompt_tokens(recipe))
    return prompt + recipe.rlvr.max_completion_tokens


def rollouts(recipe: Recipe) -> int:
    """Rollouts that rlvr draws to learn from."""
    return recipe.rlvr.steps * recipe.rlvr.prompts_per_step * recipe.rlvr.group_size if recipe.rlvr.enabled else 0


def verifier_rows(recipe: Recipe) -> int:
    return min(recipe.verifier.max_rollouts, rollouts(recipe))


def drafter_rows(recipe: Recipe) -> int:
    return min(recipe.drafter.max_rollouts, rollouts(recipe))


def lossless_responses(recipe: Recipe) -> int:
    """Responses of the paired test: one greedy and `samples` sampled ones a prompt, with and without speculation."""
    settings = recipe.serve.lossless
    if recipe.serve.speculation.method == "none":
        return 0
    return _SPECULATION_SIDES * settings.prompts * (1 + settings.samples)


def evaluated_tokens(recipe: Recipe) -> dict[Group, float]:
    """Evaluation group to response tokens of all its cells."""
    mean = response_tokens(recipe.evaluate.max_tokens, recipe.plan.assumptions)
    questions = recipe.curate.generated.test * recipe.evaluate.samples
    found: dict[Group, float] = {}
    for cell in recipe.evaluate.cells:
        found[group_of(cell)] = found.get(group_of(cell), 0.0) + questions * _per_question(recipe, cell, mean)
    return found


def _per_question(recipe: Recipe, cell: Cell, mean: float) -> float:
    policy = recipe.serve.gateway
    candidates = policy.candidates if "bo3" in cell else 1
    plans = candidates if policy.plan == "per_sample" else 1
    planning = plans * response_tokens(policy.plan_tokens, recipe.plan.assumptions) if "plan" in cell else 0
    return candidates * mean + planning


def contexts(recipe: Recipe) -> Iterator[tuple[str, int]]:
    """Setting and the longest sequence, in tokens, that it makes."""
    curate, rlvr, serve = recipe.curate, recipe.rlvr, recipe.serve
    if recipe.sft.enabled:
        # Positions start anew with each trace of a packed row.
        yield "curate.max_tokens", curate.max_tokens
    if rlvr.enabled:
        yield "rlvr.max_prompt_tokens + rlvr.max_completion_tokens", rlvr.max_prompt_tokens + rlvr.max_completion_tokens
    if recipe.verifier.enabled:
        yield "verifier.max_tokens", recipe.verifier.max_tokens
    yield "serve.engine.max_model_len", serve.engine.max_model_len


def parallel_seconds(seconds: Sequence[float], at_a_time: int = 2) -> float:
    """Least time of tasks of which `at_a_time` run beside each other, as the pipeline's fan-out lets them."""
    return max([*seconds, sum(seconds) / at_a_time], default=0.0)
