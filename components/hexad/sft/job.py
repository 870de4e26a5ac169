"""What the sft container does: TRL SFTTrainer on rows that curate tokenized."""

import json
import shutil
from collections.abc import Mapping

from hexad.records.layout import BASE, CURVE, MODEL, TRAIN_TOKENS, VALIDATION_TOKENS
from hexad.sft.config import SftConfig
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card


def run(config: SftConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: model/ (weights and tokenizer), curve.jsonl."""
    return execute("sft", config, context, inputs, lambda space: _train(config, space))


def _train(config: SftConfig, space: Workspace) -> Product:
    data = space.inputs["data"]
    if not config.enabled:
        shutil.copytree(data / BASE, space.out / MODEL)
        return Product({"steps": 0.0}, "# SFT\n\nSwitched off: the base model was passed through.\n")
    from hexad.sft.train import train

    curve = train(
        config,
        data / BASE,
        data / TRAIN_TOKENS,
        data / VALIDATION_TOKENS,
        space.out / MODEL,
        space.scratch / "checkpoints",
        space.context.seed,
        space.progress.update,
    )
    (space.out / CURVE).write_text("".join(json.dumps(row) + "\n" for row in curve))
    metrics = {"steps": float(curve[-1]["step"]) if curve else 0.0}
    for key in ("loss", "eval_loss", "mean_token_accuracy", "eval_mean_token_accuracy"):
        found = [row[key] for row in curve if key in row]
        if found:
            metrics[key] = float(found[-1])
    return Product(metrics, figures_card("SFT", metrics), dict(metrics))
