"""Promote or hold, by rules whose numbers are shown."""

import json
from pathlib import Path

import pytest

from hexad.gate.config import GateConfig
from hexad.gate.job import Evidence, card, decide, run
from hexad.records import MANIFEST, Provenance
from hexad.stage import Context
from hexad.storage import commit_tree, open_store


def delta(before: str, after: str, value: float, p: float = 0.5) -> dict[str, object]:
    return {
        "from": before,
        "to": after,
        "benchmark": "all",
        "delta": value,
        "ci95": [value - 0.05, value + 0.05],
        "p": p,
    }


def evidence(sft: float = 0.3, rlvr: float = 0.05, exact: int = 0, speculation_p: float = 0.5) -> Evidence:
    return Evidence.model_validate(
        {
            "scores": {},
            "deltas": [
                delta("base", "sft", sft),
                delta("sft", "rlvr", rlvr),
                delta("rlvr", "rlvr+spec", -0.2, speculation_p),
            ],
            "contamination": {"all": {"exact": exact, "near": 3, "items": 360}},
        }
    )


@pytest.mark.parametrize(
    ("found", "decision"),
    [
        (evidence(), "promote"),
        (evidence(sft=-0.01), "hold"),
        (evidence(rlvr=-0.02), "promote"),
        (evidence(rlvr=-0.03), "hold"),
        (evidence(exact=1), "hold"),
        (evidence(speculation_p=0.001), "hold"),
        (Evidence(deltas=[]), "hold"),
    ],
    ids=[
        "all well",
        "sft lost",
        "rlvr at the limit",
        "rlvr lost",
        "contaminated",
        "speculation lossy",
        "nothing measured",
    ],
)
def test_decision(found: Evidence, decision: str) -> None:
    assert decide(GateConfig(), found).decision == decision


def test_the_card_gives_the_reason() -> None:
    text = card(decide(GateConfig(min_sft_gain=0.2), evidence(sft=0.1)))
    assert "# Gate: hold" in text
    assert "| sft − base ≥ +0.200 on all | FAIL | +0.100 [+0.050, +0.150] |" in text


def test_the_job_leaves_the_decision_in_tree_and_manifest(tmp_path: Path) -> None:
    scores = tmp_path / "scores"
    scores.mkdir()
    (scores / "scores.json").write_text(evidence().model_dump_json(by_alias=True))
    uri = (tmp_path / "store").as_uri()
    manifest = commit_tree(open_store(uri), scores, f"{uri}/scores/1", Provenance(stage="scores"), {})
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / MANIFEST).write_text(manifest.to_json())
    result = run(GateConfig(), Context(run="test", store=uri), {"scores": str(tmp_path / "in")})
    assert result.manifest.metadata["decision"] == "promote"
    decision = json.loads(open_store(uri).read_bytes(f"{result.manifest.uri}/decision.json"))
    assert decision["decision"] == "promote"
