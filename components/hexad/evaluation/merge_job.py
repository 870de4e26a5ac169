"""What the scores container does: join the groups' graded samples into scores, intervals and paired differences."""

import json
from collections.abc import Mapping
from pathlib import Path

from hexad.evaluation.config import EvaluateConfig
from hexad.evaluation.questions import read_held_out, read_items, read_subsets
from hexad.evaluation.subsets import summarise_subsets
from hexad.evaluation.summarise import Selection, count_errors, summarise_deltas, summarise_scores, summarise_selection
from hexad.records import Overlap, Prompt, Rollout
from hexad.records.shards import read_rows
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card

_SELECTED_CELL = ("rlvr+bo3", "rlvr+plan+bo3")


def run(config: EvaluateConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: scores.json, lengths.json, examples.json. Inputs: data, and one tree per group."""
    return execute("scores", config, context, inputs, lambda space: _merge(config, space))


def _merge(config: EvaluateConfig, space: Workspace) -> Product:
    groups = {name: folder for name, folder in space.inputs.items() if name != "data"}
    data = space.inputs["data"]
    asked: dict[str, list[Rollout]] = {
        cell: read_rows(path, Rollout) for cell in config.cells if (path := _find(groups, f"{cell}.parquet"))
    }
    prompts = {p.id: p for p in read_held_out(data)}
    items = {p.id for p in read_items(data, config.benchmarks)}
    rollouts = {cell: [row for row in rows if row.prompt_id not in items] for cell, rows in asked.items()}
    seed = space.context.seed
    scores = summarise_scores(rollouts, prompts, seed)
    deltas = summarise_deltas(rollouts, prompts, seed)
    chosen = next((p for cell in _SELECTED_CELL if (p := _find(groups, f"{cell}.selections.jsonl"))), None)
    selections = [Selection.model_validate_json(line) for line in chosen.read_text().splitlines()] if chosen else []
    verifier = summarise_selection([one for one in selections if one.prompt_id not in items])
    subsets = summarise_subsets(asked, read_subsets(data), seed)
    overlaps = json.loads((data / "card.json").read_bytes())["contamination"]
    contamination = {name: Overlap(**found, subsets=subsets[name]) for name, found in overlaps.items()}
    summary = {
        "scores": {cell: {b: s.model_dump(mode="json") for b, s in found.items()} for cell, found in scores.items()},
        "deltas": [d.model_dump(mode="json", by_alias=True) for d in deltas],
        "verifier": verifier.model_dump(mode="json") if verifier else None,
        "errors": count_errors(rollouts),
        "contamination": {name: one.model_dump(mode="json") for name, one in contamination.items()},
    }
    (space.out / "scores.json").write_text(json.dumps(summary, indent=1))
    lengths = {cell: [r.tokens for r in rows] for cell, rows in rollouts.items()}
    (space.out / "lengths.json").write_text(json.dumps(lengths))
    (space.out / "examples.json").write_text(json.dumps(_examples(config, rollouts, prompts), indent=1))
    metrics = {cell: found["all"].mean for cell, found in scores.items() if "all" in found}
    times = [m.metadata.get("seconds") for name, m in space.manifests.items() if name != "data"]
    spent = sum(t for t in times if isinstance(t, int | float))
    card = figures_card("Scores", metrics, ("cell", "mean score"))
    return Product(metrics, card, {**metrics, "groups_seconds": spent})


def _find(groups: Mapping[str, Path], name: str) -> Path | None:
    return next((folder / name for folder in groups.values() if (folder / name).is_file()), None)


def _examples(
    config: EvaluateConfig, rollouts: Mapping[str, list[Rollout]], prompts: Mapping[str, Prompt]
) -> list[dict[str, object]]:
    """A few questions, domains in turn, with the first sample of each cell."""
    by_domain: dict[str, list[Prompt]] = {}
    for prompt in prompts.values():
        by_domain.setdefault(prompt.domain, []).append(prompt)
    turns = [row[i] for i in range(config.examples) for row in by_domain.values() if i < len(row)]
    first = {cell: {r.prompt_id: r for r in rows if r.sample == 0} for cell, rows in rollouts.items()}
    return [
        {
            "question": prompt.prompt[-1].content,
            "domain": prompt.domain,
            "gold": json.dumps(prompt.gold.value) if prompt.domain == "code" else str(prompt.gold.value),
            "cells": {
                cell: {"response": rows[prompt.id].response, "status": rows[prompt.id].verdict.status}
                for cell, rows in first.items()
                if prompt.id in rows
            },
        }
        for prompt in turns[: config.examples]
    ]
