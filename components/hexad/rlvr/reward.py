"""The reward function that TRL calls: grade, log, hand back scores."""

from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from hexad.grading import grade_many
from hexad.records import Prompt
from hexad.rlvr.rollout_log import RolloutLog


class LoggedReward:
    """Score 0..1 per completion; None (not 0) where grading itself failed, which leaves it out of its group's mean."""

    __name__ = "grader"

    def __init__(self, log: RolloutLog, tokenizer: PreTrainedTokenizerBase) -> None:
        self._log, self._end = log, tokenizer.eos_token_id

    def __call__(
        self,
        prompts: Sequence[str],
        completions: Sequence[str],
        completion_ids: Sequence[Sequence[int]],
        row: Sequence[str],
        trainer_state: Any,
        **_: Any,
    ) -> list[float | None]:
        questions = [Prompt.model_validate_json(text) for text in row]
        finished = [bool(ids) and ids[-1] == self._end for ids in completion_ids]
        reasons = ["stop" if done else "length" for done in finished]
        verdicts = grade_many(zip(questions, completions, reasons, strict=True))
        self._log.step = int(trainer_state.global_step)
        self._log.append(
            list(zip(questions, completions, verdicts, strict=True)), [len(i) for i in completion_ids], finished
        )
        return [v.score for v in verdicts]
