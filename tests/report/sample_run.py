"""A finished run to report on: six cells over 312 questions, made by seeded draws, in the files that stages leave."""

import json
from functools import cache
from pathlib import Path

import numpy as np

from hexad.evaluation.subsets import summarise_subsets
from hexad.evaluation.summarise import (
    Candidate,
    Selection,
    count_errors,
    summarise_deltas,
    summarise_scores,
    summarise_selection,
)
from hexad.records import (
    DOMAINS,
    MANIFEST,
    Bundle,
    Gold,
    Manifest,
    Message,
    Overlap,
    Prompt,
    Provenance,
    Rollout,
    Speculation,
    Subsets,
    Verdict,
)
from hexad.storage import commit_tree, open_store

ABILITY = {"base": 0.02, "sft": 0.47, "rlvr": 0.53, "rlvr+plan": 0.53, "rlvr+bo3": 0.62, "rlvr+plan+bo3": 0.63,
           "rlvr+spec": 0.53}  # fmt: skip
STAGES = {"data": ("curate", 14), "sft": ("sft", 171), "policy": ("rlvr", 402), "verifier": ("verifier", 48),
          "draft": ("drafter", 63), "bundle": ("serve", 96), "scores": ("evaluate", 141)}  # fmt: skip


def files() -> dict[str, dict[str, str]]:
    """Input name to file name to content; the caller may change it."""
    return {name: dict(named) for name, named in _files().items()}


@cache
def _files() -> dict[str, dict[str, str]]:
    card, scores = _card(), _scores()
    return {
        "data": {"card.json": json.dumps(card)},
        "sft": {"curve.jsonl": _lines(_sft_curve())},
        "policy": {"curve.jsonl": _lines(_rl_curve())},
        "verifier": {"calibration.json": json.dumps(_calibration())},
        "draft": {"acceptance.json": json.dumps({"agreement": 0.87, "parameters": 310_000})},
        "bundle": {"bundle.json": _bundle().model_dump_json(), "lossless.json": json.dumps(_lossless())},
        "scores": {
            "scores.json": json.dumps(scores),
            "lengths.json": json.dumps(_lengths()),
            "examples.json": json.dumps(_examples()),
        },
    }


def commit(contents: dict[str, dict[str, str]], folder: Path) -> tuple[dict[str, str], str]:
    """Commit every input's files as a tree under `folder`; gives (input name → artifact folder, store URI)."""
    uri, digests, artifacts = f"file://{folder}/store", {}, {}
    for name, named in contents.items():
        stage, seconds = STAGES[name]
        tree, artifact = folder / "trees" / name, folder / "artifacts" / name
        tree.mkdir(parents=True)
        artifact.mkdir(parents=True)
        for file, text in named.items():
            (tree / file).write_text(text)
        provenance = Provenance(stage=stage, git="429376c0ffee", inputs=dict(digests), seed=7)
        if name == "data":
            provenance = provenance.model_copy(update={"datasets": {"reasoning-gym": "0.1.25"}})
        manifest: Manifest = commit_tree(open_store(uri), tree, f"{uri}/{stage}/00", provenance, {"seconds": seconds})
        digests = {name: manifest.digest}
        (artifact / MANIFEST).write_text(manifest.to_json())
        artifacts[name] = str(artifact)
    return artifacts, uri


@cache
def _rollouts() -> tuple[dict[str, list[Rollout]], dict[str, Prompt]]:
    rng = np.random.default_rng(7)
    prompts, rollouts = {}, {cell: [] for cell in ABILITY}
    for i in range(312):
        domain = DOMAINS[i % 6]
        prompt = Prompt(id=f"q{i}", domain=domain, source="made", revision="1",
                        prompt=[Message(role="user", content="?")], gold=Gold(value=i), grader=domain)  # fmt: skip
        prompts[prompt.id] = prompt
        ease = rng.normal(0, 1.6) + 0.5 * (i % 6) - 1.2
        for cell, ability in ABILITY.items():
            chance = 1 / (1 + np.exp(-(ease + np.log(ability / (1 - ability)) * 1.35)))
            for sample in range(4):
                failed = rng.random() < 0.002
                right = bool(rng.random() < chance)
                tokens = int(rng.gamma(5, 22 * (3 if "bo3" in cell else 1)) + 40 * ("plan" in cell)) + 12
                verdict = Verdict(status="error", score=None, version="1") if failed else Verdict(
                    status="correct" if right else "incorrect", score=float(right), version="1")  # fmt: skip
                rollouts[cell].append(
                    Rollout(prompt_id=prompt.id, sample=sample, seed=sample, response="", tokens=tokens,
                            finish_reason="length" if rng.random() < 0.03 else "stop", verdict=verdict)
                )  # fmt: skip
    return rollouts, prompts


def _scores() -> dict[str, object]:
    rollouts, prompts = _rollouts()
    rng = np.random.default_rng(8)
    selections = []
    for prompt in prompts:
        right = rng.random(3) < rng.beta(1.2, 1.0)
        marks = rng.normal(np.where(right, 0.62, 0.4), 0.2)
        selections.append(Selection(prompt_id=prompt, selected=int(marks.argmax()), candidates=[
            Candidate(group="right" if r else f"wrong {i % 2}", verifier=float(m), score=float(r))
            for i, (r, m) in enumerate(zip(right, marks, strict=True))
        ]))  # fmt: skip
    verifier = summarise_selection(selections)
    assert verifier is not None
    scores = summarise_scores(rollouts, prompts, seed=7)
    return {
        "scores": {cell: {b: s.model_dump() for b, s in found.items()} for cell, found in scores.items()},
        "deltas": [d.model_dump(by_alias=True) for d in summarise_deltas(rollouts, prompts, seed=7)],
        "verifier": verifier.model_dump(),
        "errors": count_errors(rollouts),
        "contamination": _contamination(),
    }


def _contamination() -> dict[str, object]:
    rollouts, prompts = _rollouts()
    ids, unasked = list(prompts), ["x", "y"]
    found = summarise_subsets(
        rollouts,
        {"test": Subsets(all=ids, clean=ids[3:], contaminated=ids[:3]),
         "other": Subsets(all=unasked, clean=unasked, contaminated=[])},
        seed=7,
    )  # fmt: skip
    return {name: Overlap(exact=0, near=3, items=s["all"].items, subsets=s).model_dump() for name, s in found.items()}


def _lengths() -> dict[str, list[int]]:
    return {cell: [row.tokens for row in rows] for cell, rows in _rollouts()[0].items()}


def _card() -> dict[str, object]:
    rng = np.random.default_rng(9)
    sizes = {"sft": 2000, "rl": 1000, "validation": 40, "test": 52}
    return {
        "counts": {split: {d: int(size + rng.integers(0, 5)) for d in DOMAINS} for split, size in sizes.items()},
        "rejects": {"duplicate prompt": 812, "in another split": 120, "too long": 37, "gold not parsed": 4},
        "contamination": {"test": {"exact": 0, "near": 3, "items": 312}},
        "tokens": {"sft": 1_912_344, "rl prompts": 201_774},
        "sources": {"reasoning-gym": {"revision": "0.1.25", "rows": 9800}, "hexad generators": {"rows": 8400}},
    }


def _sft_curve() -> list[dict[str, float]]:
    rng = np.random.default_rng(10)
    rows = []
    for step in range(10, 601, 10):
        loss = 0.2 + 2.6 * np.exp(-step / 90) + rng.normal(0, 0.015)
        row = {"step": step, "loss": loss, "mean_token_accuracy": 0.94 - 0.6 * np.exp(-step / 110)}
        rows.append({**row, "eval_loss": loss + 0.03} if step % 100 == 0 else row)
    return rows


def _rl_curve() -> list[dict[str, object]]:
    rng = np.random.default_rng(11)
    rows = []
    for step in range(1, 101):
        row: dict[str, object] = {
            "step": step, "reward": 0.45 + 0.001 * step + rng.normal(0, 0.03), "reward_std": 0.3 + rng.normal(0, 0.02),
            "frac_reward_zero_std": 0.35 + rng.normal(0, 0.06), "entropy": 0.4 - 0.001 * step + rng.normal(0, 0.01),
            "completion_length": 110 - 0.08 * step + rng.normal(0, 3),
            "domain_reward": {d: 0.2 + 0.1 * i + 0.001 * step + rng.normal(0, 0.08) for i, d in enumerate(DOMAINS)},
        }  # fmt: skip
        rows.append({**row, "validation": 0.46 + 0.0006 * step + rng.normal(0, 0.006)} if step % 20 == 0 else row)
    return rows


def _calibration() -> dict[str, object]:
    bins = [{"score": (i + 0.5) / 10, "accuracy": min(1, max(0, (i + 0.5) / 10 * 0.9 + 0.03 + 0.03 * (-1) ** i)),
             "count": 900 - 150 * abs(i - 4)} for i in range(10)]  # fmt: skip
    return {"bins": bins, "pair_accuracy": 0.783, "auc": 0.791}


def _bundle() -> Bundle:
    speculation = Speculation(method="draft_model", num_speculative_tokens=4, acceptance_length=3.1, speedup=0.92,
                              lossless=True)  # fmt: skip
    return Bundle(name="sample", target="a" * 64, draft="b" * 64, verifier="c" * 64, chat_template_sha256="d" * 64,
                  max_model_len=512, speculation=speculation)  # fmt: skip


def _lossless() -> dict[str, object]:
    return {
        "temperatures": [
            {"temperature": 0.0, "prompts": 240, "equal": 1.0, "plain": 0.512, "speculative": 0.512, "delta": 0.0,
             "ci95": [-0.016, 0.016], "p": 1.0, "passed": True},
            {"temperature": 1.0, "prompts": 240, "plain": 0.488, "speculative": 0.496, "delta": 0.008,
             "ci95": [-0.031, 0.047], "p": 0.71, "passed": True},
        ],
        "per_position": [0.83, 0.69, 0.55, 0.46], "acceptance_length": 3.1, "speedup": 0.92,
        "seconds_plain": 11.2, "seconds_speculative": 12.2,
    }  # fmt: skip


def _examples() -> list[dict[str, object]]:
    return [
        {"question": "What is 47 + 86? Work by columns.", "domain": "math", "gold": 133, "cells": {
            "base": {"response": "47 + 86 86 86 86 the the", "status": "no_answer"},
            "sft": {"response": "<think>ones: 7 + 6 = 13, write 3 carry 1\ntens: 4 + 8 + 1 = 13</think>\n"
                                "<answer>133</answer>", "status": "correct"},
            "rlvr": {"response": "<think>7+6=13 w3 c1; 4+8+1=13</think><answer>133</answer>", "status": "correct"}}},
        {"question": "A is taller than B. C is shorter than B. Who is the tallest?", "domain": "logic", "gold": "A",
         "cells": {
            "base": {"response": "", "status": "no_answer"},
            "sft": {"response": "<think>A > B > C</think><answer>B</answer>", "status": "incorrect"},
            "rlvr": {"response": "<think>A > B, B > C, so A > C</think><answer>A</answer>", "status": "correct"}}},
    ]  # fmt: skip


def _lines(rows: list[dict]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)
