"""Supervised fine-tuning with TRL on rows of token ids: what the sft and the drafter stage share."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch
from datasets import Dataset
from pydantic import Field
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from hexad.records import Record
from hexad.training.checkpoints import SealCheckpoints, last_sealed
from hexad.training.curves import Curve, curve_rows

_NAMES = {
    "loss": "loss",
    "mean_token_accuracy": "mean_token_accuracy",
    "entropy": "entropy",
    "learning_rate": "learning_rate",
    "eval_loss": "eval_loss",
    "eval_mean_token_accuracy": "eval_mean_token_accuracy",
}


class Schedule(Record):
    """Optimizer settings; the stages' configs document them for people."""

    epochs: float = Field(1.0, gt=0)
    learning_rate: float = Field(1e-4, gt=0)
    scheduler: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    warmup: float = Field(0.05, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    batch_rows: int = Field(32, ge=1)
    gradient_accumulation: int = Field(1, ge=1)
    max_grad_norm: float = Field(1.0, gt=0)
    evaluations: int = Field(0, ge=0)
    checkpoints: int = Field(0, ge=0)


def fine_tune(
    schedule: Schedule,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Dataset,
    validation: Dataset | None,
    out: Path,
    checkpoints: Path,
    seed: int,
    report: Callable[[float, str], None],
) -> list[dict[str, float]]:
    """Train `model` on rows with columns input_ids, labels and, when packed, seq_lengths; save it under `out`.

    Returns the curve. Goes on from the newest whole checkpoint under `checkpoints`, if a killed run left one.
    """
    packed = "seq_lengths" in rows.column_names and max(len(lengths) for lengths in rows["seq_lengths"]) > 1
    if "seq_lengths" in rows.column_names and not packed:
        rows = rows.remove_columns("seq_lengths")
        validation = validation.remove_columns("seq_lengths") if validation is not None else None
    steps = math.ceil(math.ceil(len(rows) / schedule.batch_rows) * schedule.epochs)
    evaluate, save = bool(schedule.evaluations and validation is not None), bool(schedule.checkpoints)
    arguments = SFTConfig(
        output_dir=str(checkpoints),
        seed=seed,
        max_steps=steps,
        learning_rate=schedule.learning_rate,
        lr_scheduler_type=schedule.scheduler,
        warmup_steps=math.ceil(steps * schedule.warmup),
        weight_decay=schedule.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=schedule.max_grad_norm,
        per_device_train_batch_size=max(1, schedule.batch_rows // schedule.gradient_accumulation),
        per_device_eval_batch_size=schedule.batch_rows,
        gradient_accumulation_steps=schedule.gradient_accumulation,
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        packing=packed,
        max_length=None,
        # Batches of like length would be batches of one task, and each would undo the last.
        train_sampling_strategy="random",
        dataset_kwargs={"skip_prepare_dataset": True},
        logging_steps=max(1, steps // 60),
        report_to=[],
        disable_tqdm=True,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=max(1, steps // max(1, schedule.evaluations)),
        save_strategy="steps" if save else "no",
        save_steps=max(1, steps // max(1, schedule.checkpoints)),
        save_total_limit=2,
    )
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        eval_dataset=validation if evaluate else None,
        processing_class=tokenizer,
        callbacks=[Curve(report), SealCheckpoints()],
    )
    trainer.train(resume_from_checkpoint=last_sealed(checkpoints))
    trainer.model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return curve_rows(trainer.state.log_history, _NAMES)
