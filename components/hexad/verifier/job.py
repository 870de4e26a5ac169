"""What the verifier container does: learn to tell right responses from wrong ones."""

import json
import shutil
from collections.abc import Mapping, Sequence

from hexad.records import Prompt, Rollout
from hexad.records.layout import MODEL, PROMPTS, ROLLOUTS
from hexad.records.shards import read_rows, write_rows
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card
from hexad.verifier.config import VerifierConfig


def run(config: VerifierConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: model/ (the policy and what was fitted on top), calibration.json, validation_rollouts.parquet."""
    return execute("verifier", config, context, inputs, lambda space: _fit(config, space))


def _fit(config: VerifierConfig, space: Workspace) -> Product:
    prompts = {p.id: p for p in read_rows(space.inputs["data"] / PROMPTS["train"], Prompt)}
    rollouts = [r for r in read_rows(space.inputs["policy"] / ROLLOUTS, Rollout) if r.prompt_id in prompts]
    chosen = newest_graded(rollouts, config.max_rollouts)
    right = [r.verdict.status == "correct" for r in chosen]
    if not config.enabled or len(set(right)) < 2:
        (space.out / "calibration.json").write_text(json.dumps({"enabled": False, "bins": []}))
        missing = "right" if not any(right) else "wrong"
        why = f"none of the newest {len(chosen)} rollouts is {missing}" if config.enabled else "switched off"
        return Product({"enabled": 0.0}, f"# Verifier\n\nNo verifier: {why}.\n")
    import numpy as np

    from hexad.verifier.head import FILE, Head
    from hexad.verifier.likelihood import Policy, fastest_device
    from hexad.verifier.measure import measure

    policy = space.inputs["policy"] / MODEL
    features = Policy(policy, config.max_tokens, fastest_device()).features(
        [(prompts[r.prompt_id].prompt, r.response) for r in chosen],
        lambda fraction, note: space.progress.update(0.5 * fraction, note),
    )
    shutil.copytree(policy, space.out / MODEL)
    head = Head.fitted(features, np.array(right, float), config.max_tokens)
    (space.out / MODEL / FILE).write_text(head.model_dump_json(indent=1))
    space.progress.update(0.5, "validation rollouts")
    validation = read_rows(space.inputs["data"] / PROMPTS["validation"], Prompt)
    found, samples = measure(config, policy, space.out / MODEL, validation, space.context.seed)
    write_rows(space.out / "validation_rollouts.parquet", samples, Rollout)
    (space.out / "calibration.json").write_text(json.dumps({"enabled": True, **found}, indent=1))
    metrics = {"rollouts": float(len(chosen))} | {k: float(v) for k, v in found.items() if isinstance(v, float | int)}
    return Product(metrics, figures_card("Verifier", metrics), dict(metrics))


def newest_graded(rollouts: Sequence[Rollout], most: int) -> list[Rollout]:
    """The newest rollouts that have a verdict: those of a policy nearest to the one whose responses will be scored."""
    return [r for r in rollouts if r.verdict.status != "error"][-most:]
