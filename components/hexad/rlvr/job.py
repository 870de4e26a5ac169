"""What the rlvr container does: TRL GRPOTrainer with the graders as rewards."""

import json
import shutil
from collections.abc import Mapping

from hexad.records import Prompt, Rollout
from hexad.records.layout import CURVE, MODEL, PROMPTS, ROLLOUTS
from hexad.records.shards import read_rows, write_rows
from hexad.rlvr.config import RlvrConfig
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card


def run(config: RlvrConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: model/, rollouts.parquet (every rollout of the run, in order), curve.jsonl."""
    return execute("rlvr", config, context, inputs, lambda space: _train(config, space))


def _train(config: RlvrConfig, space: Workspace) -> Product:
    policy = space.inputs["model"] / MODEL
    if not config.enabled:
        shutil.copytree(policy, space.out / MODEL)
        write_rows(space.out / ROLLOUTS, [], Rollout)
        return Product({"steps": 0.0}, "# RLVR\n\nSwitched off: the SFT model was passed through.\n")
    from hexad.rlvr.train import train

    prompts = read_rows(space.inputs["data"] / PROMPTS["train"], Prompt)
    validation = read_rows(space.inputs["data"] / PROMPTS["validation"], Prompt)
    curve, rollouts = train(
        config, policy, prompts, validation, space.out / MODEL, space.scratch, space.context.seed, space.progress.update
    )
    write_rows(space.out / ROLLOUTS, rollouts, Rollout)
    (space.out / CURVE).write_text("".join(json.dumps(row) + "\n" for row in curve))
    metrics = {"steps": float(config.steps), "rollouts": float(len(rollouts))}
    for key in ("reward", "entropy", "completion_length", "validation"):
        found = [row[key] for row in curve if key in row]
        if found:
            metrics |= {f"{key}_first": float(found[0]), f"{key}_last": float(found[-1])}
    metrics["grader_errors"] = float(sum(r.verdict.status == "error" for r in rollouts))
    return Product(metrics, figures_card("RLVR", metrics), dict(metrics))
