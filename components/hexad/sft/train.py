"""SFT of the base model on the traces that curate tokenized."""

from collections.abc import Callable
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer

from hexad.sft.config import SftConfig
from hexad.training import prepare
from hexad.training.supervised import Schedule, fine_tune


def train(
    config: SftConfig,
    model_path: Path,
    train_tokens: Path,
    validation_tokens: Path,
    out: Path,
    checkpoints: Path,
    seed: int,
    report: Callable[[float, str], None],
) -> list[dict[str, float]]:
    """Fine-tune the model at `model_path`, save it with its tokenizer under `out`, return the curve."""
    prepare(seed)
    schedule = Schedule.model_validate(config.model_dump(exclude={"enabled", "dtype"}))
    return fine_tune(
        schedule,
        AutoModelForCausalLM.from_pretrained(model_path, dtype=getattr(torch, config.dtype)),
        AutoTokenizer.from_pretrained(model_path),
        _read(train_tokens, checkpoints.parent),
        _read(validation_tokens, checkpoints.parent),
        out,
        checkpoints,
        seed,
        report,
    )


def _read(shards: Path, scratch: Path) -> Dataset:
    """The rows of all shards, mapped from a file in `scratch`: long traces of a large corpus fit in no memory."""
    files = [str(file) for file in sorted(shards.glob("*.parquet"))]
    return Dataset.from_parquet(files, cache_dir=str(scratch / "datasets"))
