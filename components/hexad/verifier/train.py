"""Train a sequence classifier with one label on graded rollouts: binary cross-entropy at every token of the response.

Labelling every token instead of the last one alone is how Cobbe et al. 2021 (arXiv 2110.14168, §4.2) train theirs: it
generalises better, since the model learns where a solution goes wrong. The last token's score is the verdict.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

from hexad.records import Message, Rollout
from hexad.training import Curve, curve_rows, prepare
from hexad.verifier.config import VerifierConfig
from hexad.verifier.scorer import encode


def train(
    config: VerifierConfig,
    policy: Path,
    chosen: Sequence[Rollout],
    questions: Sequence[Sequence[Message]],
    out: Path,
    checkpoints: Path,
    seed: int,
    report: Callable[[float, str], None],
) -> list[dict[str, float]]:
    """Start from the policy's weights, train on responses to `questions`, save under `out`, return the curve."""
    prepare(seed)
    tokenizer = AutoTokenizer.from_pretrained(policy)
    tokenizer.model_max_length = config.max_tokens  # goes with the model: a scorer must cut where training did
    ids = encode(tokenizer, questions, [r.response for r in chosen], config.max_tokens)
    rows = Dataset.from_dict(
        {
            "input_ids": ids,
            # A response that was cut off has no end of turn among its tokens; `encode` adds one.
            "response_tokens": [r.tokens + (r.finish_reason == "length") for r in chosen],
            "right": [float(r.verdict.status == "correct") for r in chosen],
        }
    )
    model = AutoModelForSequenceClassification.from_pretrained(policy, num_labels=1, dtype=torch.float32)
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
        remove_unused_columns=False,
    )
    trainer = _TokenTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=lambda batch: collate(batch, tokenizer.pad_token_id),
        processing_class=tokenizer,
        callbacks=[Curve(report)],
    )
    trainer.train()
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return curve_rows(trainer.state.log_history, {"loss": "loss"})


def collate(batch: Sequence[Mapping[str, Any]], pad: int) -> dict[str, torch.Tensor]:
    """input_ids, attention_mask [B, T] padded right; targets [B, T]: 1 or 0 at response tokens, NaN elsewhere."""
    lengths = [len(row["input_ids"]) for row in batch]
    ids = torch.full((len(batch), max(lengths)), pad)
    targets = torch.full(ids.shape, math.nan)
    for i, (row, length) in enumerate(zip(batch, lengths, strict=True)):
        ids[i, :length] = torch.tensor(row["input_ids"])
        targets[i, max(0, length - row["response_tokens"]) : length] = row["right"]
    mask = (torch.arange(ids.shape[1]) < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": ids, "attention_mask": mask, "targets": targets}


class _TokenTrainer(Trainer):
    """The classifier's own head, at every response token instead of at the last one alone."""

    def compute_loss(
        self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        targets = inputs["targets"]
        hidden = model.base_model(inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state
        counted = ~targets.isnan()
        logits = model.score(hidden[counted])[:, 0]
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets[counted])
