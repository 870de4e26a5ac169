"""Train a sequence classifier with one label on graded rollouts: binary cross-entropy, pointwise."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from datasets import Dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

from hexad.records import Prompt, Rollout
from hexad.training import Curve, curve_rows, prepare
from hexad.verifier.balance import balanced
from hexad.verifier.config import VerifierConfig
from hexad.verifier.scorer import encode


def train(
    config: VerifierConfig,
    policy: Path,
    rollouts: Sequence[Rollout],
    prompts: Mapping[str, Prompt],
    out: Path,
    checkpoints: Path,
    seed: int,
    report: Callable[[float, str], None],
) -> list[dict[str, float]]:
    """Start from the policy's weights, train, save under `out`, return the curve."""
    prepare(seed)
    tokenizer = AutoTokenizer.from_pretrained(policy)
    chosen = balanced([r for r in rollouts if r.prompt_id in prompts], config, seed)
    ids = encode(
        tokenizer, [prompts[r.prompt_id].prompt for r in chosen], [r.response for r in chosen], config.max_tokens
    )
    labels = [[float(r.verdict.status == "correct")] for r in chosen]
    rows = Dataset.from_dict({"input_ids": ids, "labels": labels})
    model = AutoModelForSequenceClassification.from_pretrained(
        policy, num_labels=1, problem_type="multi_label_classification", dtype=torch.float32
    )
    steps = math.ceil(math.ceil(len(rows) / config.batch_rows) * config.epochs)
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        seed=seed,
        max_steps=steps,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(steps * config.warmup),
        per_device_train_batch_size=config.batch_rows,
        use_cpu=not torch.cuda.is_available(),
        logging_steps=max(1, steps // 40),
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=DataCollatorWithPadding(tokenizer),
        processing_class=tokenizer,
        callbacks=[Curve(report)],
    )
    trainer.train()
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return curve_rows(trainer.state.log_history, {"loss": "loss"})
