"""What the drafter container does: a small model that guesses the target's next tokens."""

import json
import shutil
from collections.abc import Mapping

from hexad.drafter.config import DrafterConfig
from hexad.records import Prompt, Rollout
from hexad.records.layout import CURVE, MODEL, PROMPTS, ROLLOUTS
from hexad.records.shards import read_rows
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card


def run(config: DrafterConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: model/ (draft weights, the target's tokenizer), curve.jsonl, acceptance.json."""
    return execute("drafter", config, context, inputs, lambda space: _distil(config, space))


def _distil(config: DrafterConfig, space: Workspace) -> Product:
    target = space.inputs["policy"] / MODEL
    rollouts = read_rows(space.inputs["policy"] / ROLLOUTS, Rollout)
    if not config.enabled or not rollouts:
        (space.out / "acceptance.json").write_text(json.dumps({"enabled": False}))
        why = "switched off" if not config.enabled else "there are no rollouts to distil on"
        return Product({"enabled": 0.0}, f"# Drafter\n\nNo draft model: {why}.\n")
    from hexad.drafter.distil import distil

    prompts = {p.id: p for p in read_rows(space.inputs["data"] / PROMPTS["train"], Prompt)}
    curve, acceptance = distil(
        config,
        target,
        rollouts,
        prompts,
        space.out / MODEL,
        space.scratch / "checkpoints",
        space.context.seed,
        space.progress.update,
    )
    shutil.rmtree(space.scratch / "checkpoints", ignore_errors=True)
    (space.out / CURVE).write_text("".join(json.dumps(row) + "\n" for row in curve))
    (space.out / "acceptance.json").write_text(json.dumps({"enabled": True, **acceptance}, indent=1))
    return Product(acceptance, figures_card("Drafter", acceptance), dict(acceptance))
