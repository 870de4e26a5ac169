"""Promote or hold: every rule with the number that it was judged by."""

import json
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from hexad.gate.config import GateConfig
from hexad.records import Delta, Overlap, Record
from hexad.stage import Context, Product, StageResult, Workspace, execute

SCORES, DECISION = "scores.json", "decision.json"


class Evidence(Record):
    """What the gate reads of the scores tree's `scores.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    deltas: list[Delta]
    contamination: dict[str, Overlap] = Field(default_factory=dict)


class Rule(Record):
    """One condition and how it came out."""

    name: str
    passed: bool
    found: str


class Decision(Record):
    """`decision.json`."""

    decision: Literal["promote", "hold"]
    rules: list[Rule]


def decide(config: GateConfig, evidence: Evidence) -> Decision:
    """Promote only when every rule passes; a comparison that was not made fails its rule, except for speculation."""
    rules = [
        _gain(config, evidence, "base", "sft", config.min_sft_gain),
        _gain(config, evidence, "sft", "rlvr", -config.max_rlvr_loss),
        _contamination(config, evidence),
        _speculation(config, evidence),
    ]
    return Decision(decision="promote" if all(rule.passed for rule in rules) else "hold", rules=rules)


def card(decision: Decision) -> str:
    """The decision as a Markdown table."""
    rows = [f"| {rule.name} | {'pass' if rule.passed else 'FAIL'} | {rule.found} |" for rule in decision.rules]
    return "\n".join([f"# Gate: {decision.decision}", "", "| rule | result | found |", "|---|---|---|", *rows, ""])


def run(config: GateConfig, context: Context, inputs: dict[str, str]) -> StageResult:
    """Judge the scores tree. Its tree holds `decision.json`; the decision is in the manifest's metadata too."""

    def body(work: Workspace) -> Product:
        decision = decide(config, read_evidence(work.inputs["scores"]))
        (work.out / DECISION).write_text(decision.model_dump_json(indent=1))
        passed = sum(rule.passed for rule in decision.rules)
        metrics = {"promote": float(decision.decision == "promote"), "rules_passed": float(passed)}
        return Product(metrics, card(decision), {"decision": decision.decision})

    return execute("gate", config, context, inputs, body)


def read_evidence(scores: Path) -> Evidence:
    return Evidence.model_validate(json.loads((scores / SCORES).read_bytes()))


def _delta(evidence: Evidence, before: str, after: str, benchmark: str) -> Delta | None:
    return next(
        (d for d in evidence.deltas if (d.from_, d.to, d.benchmark) == (before, after, benchmark)),
        None,
    )


def _gain(config: GateConfig, evidence: Evidence, before: str, after: str, least: float) -> Rule:
    name = f"{after} − {before} ≥ {least:+.3f} on {config.benchmark}"
    delta = _delta(evidence, before, after, config.benchmark)
    if delta is None:
        return Rule(name=name, passed=False, found="not measured")
    low, high = delta.ci95
    return Rule(name=name, passed=delta.delta >= least, found=f"{delta.delta:+.3f} [{low:+.3f}, {high:+.3f}]")


def _contamination(config: GateConfig, evidence: Evidence) -> Rule:
    exact = sum(overlap.exact for overlap in evidence.contamination.values())
    return Rule(
        name=f"training rows dropped for being a test question, exactly ≤ {config.max_exact_overlap}",
        passed=bool(evidence.contamination) and exact <= config.max_exact_overlap,
        found=f"{exact} exact" if evidence.contamination else "not measured",
    )


def _speculation(config: GateConfig, evidence: Evidence) -> Rule:
    name = f"speculation does not change the score (p ≥ {config.alpha:g})"
    delta = _delta(evidence, "rlvr", "rlvr+spec", config.benchmark)
    if delta is None:
        return Rule(name=name, passed=True, found="not served with speculation")
    return Rule(name=name, passed=delta.p >= config.alpha, found=f"{delta.delta:+.3f}, p = {delta.p:.3f}")
