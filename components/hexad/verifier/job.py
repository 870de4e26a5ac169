"""What the verifier container does: learn to tell right responses from wrong ones."""

import json
from collections.abc import Mapping

from hexad.records import Prompt, Rollout
from hexad.records.layout import CURVE, MODEL, PROMPTS, ROLLOUTS
from hexad.records.shards import read_rows, write_rows
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card
from hexad.verifier.balance import balanced
from hexad.verifier.config import VerifierConfig


def run(config: VerifierConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: model/ (sequence classifier with one label), calibration.json, validation rollouts, curve.jsonl."""
    return execute("verifier", config, context, inputs, lambda space: _train(config, space))


def _train(config: VerifierConfig, space: Workspace) -> Product:
    prompts = {p.id: p for p in read_rows(space.inputs["data"] / PROMPTS["train"], Prompt)}
    rollouts = [r for r in read_rows(space.inputs["policy"] / ROLLOUTS, Rollout) if r.prompt_id in prompts]
    chosen = balanced(rollouts, config, space.context.seed)
    if not config.enabled or not chosen:
        (space.out / "calibration.json").write_text(json.dumps({"enabled": False, "bins": []}))
        why = (
            "switched off"
            if not config.enabled
            else f"no question of the newest {config.rollout_share:.0%} of {len(rollouts)} rollouts has right and wrong"
        )
        return Product({"enabled": 0.0}, f"# Verifier\n\nNo verifier: {why}.\n")
    from hexad.verifier.measure import measure
    from hexad.verifier.train import train

    validation = read_rows(space.inputs["data"] / PROMPTS["validation"], Prompt)
    curve = train(
        config,
        space.inputs["policy"] / MODEL,
        chosen,
        [prompts[r.prompt_id].prompt for r in chosen],
        space.out / MODEL,
        space.scratch / "checkpoints",
        space.context.seed,
        lambda fraction, note: space.progress.update(0.7 * fraction, note),
    )
    space.progress.update(0.7, "validation rollouts")
    found, samples = measure(config, space.inputs["policy"] / MODEL, space.out / MODEL, validation, space.context.seed)
    write_rows(space.out / "validation_rollouts.parquet", samples, Rollout)
    (space.out / CURVE).write_text("".join(json.dumps(row) + "\n" for row in curve))
    (space.out / "calibration.json").write_text(json.dumps({"enabled": True, **found}, indent=1))
    metrics = {k: float(v) for k, v in found.items() if isinstance(v, float | int)}
    return Product(metrics, figures_card("Verifier", metrics), dict(metrics))
