"""The grader as a TRL reward function (GRPOTrainer(reward_funcs=...), trl 1.16)."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hexad.grading.grade import grade_many
from hexad.records import Prompt, Verdict

Completion = str | list[dict[str, Any]]


class Graded(NamedTuple):
    """A completion with its verdict. `tokens`: how many it has; None where the trainer tells no ids."""

    prompt: Prompt
    response: str
    verdict: Verdict
    finished: bool
    tokens: int | None


@dataclass
class GraderReward:
    """Scores completions by the prompt rows that travel in the dataset column `row` (a Prompt as JSON).

    `sink` receives each batch and the trainer's step, to log rollouts. `end`: id of the token that ends a turn; a
    completion that ends otherwise was cut off. Picklable where the sink is.
    Through TRL's `log_metric`, the mean score of each domain and the share of `error` verdicts are logged.
    """

    sink: Callable[[list[Graded], int], None] | None = None
    name: str = "grader"
    end: int | None = None

    def __post_init__(self) -> None:
        self.__name__ = self.name  # TRL names its metrics by it

    def __call__(self, prompts: Sequence[Any], completions: Sequence[Completion], **columns: Any) -> list[float | None]:
        """One score in 0..1 a completion; None where the grader failed, so that TRL leaves the sample out."""
        if "row" not in columns:
            raise ValueError("dataset column 'row' is missing: add the Prompt of each row as JSON")
        rows = [Prompt.model_validate(r if isinstance(r, dict) else json.loads(r)) for r in columns["row"]]
        responses = [completion if isinstance(completion, str) else _text(completion) for completion in completions]
        ids: Sequence[Sequence[int] | None] = columns.get("completion_ids") or [None] * len(rows)
        finished = [self.end is None or one is None or self.end in one[-1:] for one in ids]
        reasons = ["stop" if done else "length" for done in finished]
        verdicts = grade_many(zip(rows, responses, reasons, strict=True))
        if self.sink is not None:
            counts = [None if one is None else len(one) for one in ids]
            batch = zip(rows, responses, verdicts, finished, counts, strict=True)
            self.sink([Graded(*one) for one in batch], int(columns["trainer_state"].global_step))
        if "log_metric" in columns:
            for metric, value in metrics(rows, verdicts).items():
                columns["log_metric"](f"{self.name}/{metric}", value)
        return [v.score for v in verdicts]


@dataclass
class AsyncGraderReward(GraderReward):
    """The same as a coroutine: TRL awaits it beside other asynchronous rewards, and its event loop is not held up."""

    async def __call__(self, *arguments: Any, **columns: Any) -> list[float | None]:  # type: ignore[override]
        return await asyncio.to_thread(super().__call__, *arguments, **columns)


def metrics(prompts: Sequence[Prompt], verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Mean score by domain, over what could be graded, and `errors`: the share of all that could not, 0..1."""
    by_domain: dict[str, list[float]] = defaultdict(list)
    for prompt, verdict in zip(prompts, verdicts, strict=True):
        if verdict.score is not None:
            by_domain[prompt.domain].append(verdict.score)
    means = {domain: sum(scores) / len(scores) for domain, scores in by_domain.items()}
    errors = sum(verdict.status == "error" for verdict in verdicts)
    return {**means, "errors": errors / len(verdicts)} if verdicts else {}


def _text(turns: list[dict[str, Any]]) -> str:
    return "".join(str(turn["content"]) for turn in turns if turn.get("role") == "assistant")
