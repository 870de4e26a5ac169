"""Accuracy at the training temperature on validation questions while training: what hyper-parameters are chosen by."""

from collections.abc import Sequence
from typing import Any

from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from hexad.engines import Sampling
from hexad.engines.transformers_engine import TransformersEngine
from hexad.grading import grade_many
from hexad.records import Prompt
from hexad.rlvr.config import RlvrConfig


class Validation(TrainerCallback):
    """Adds {"step", "validation"} to the trainer's log at the start, evenly over the run, and at the end."""

    def __init__(self, prompts: Sequence[Prompt], config: RlvrConfig, tokenizer: PreTrainedTokenizerBase) -> None:
        self._prompts, self._tokenizer = prompts, tokenizer
        self._every = max(1, config.steps // config.validations) if config.validations else 0
        self._sampling = Sampling(n=1, temperature=config.temperature, max_tokens=config.max_completion_tokens, seed=1)

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel | None = None,
        **_: Any,
    ) -> None:
        if self._every and state.global_step == 0 and model is not None:
            self._measure(model, state)

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel | None = None,
        **_: Any,
    ) -> None:
        if self._every and state.global_step % self._every == 0 and model is not None:
            self._measure(model, state)

    def _measure(self, model: PreTrainedModel, state: TrainerState) -> None:
        was_training = model.training
        model.eval()
        answers = TransformersEngine(model, self._tokenizer, 128).generate(
            [p.prompt for p in self._prompts], self._sampling
        )
        model.train(was_training)
        verdicts = grade_many((p, a[0].text, a[0].finish_reason) for p, a in zip(self._prompts, answers, strict=True))
        scores = [v.score for v in verdicts if v.score is not None]
        state.log_history.append({"step": state.global_step, "validation": sum(scores) / max(1, len(scores))})
