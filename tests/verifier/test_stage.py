"""The whole stage on a real model: from graded rollouts to a folder that a scorer reads."""

import json
import shutil
from pathlib import Path

import pytest

from hexad.records import MANIFEST, Gold, Message, Prompt, Provenance, Rollout, Status, Verdict
from hexad.records.layout import MODEL, PROMPTS, ROLLOUTS
from hexad.records.shards import write_rows
from hexad.stage import Context, StageResult
from hexad.storage import commit_tree, fetch_tree, open_store
from hexad.verifier.config import VerifierConfig
from hexad.verifier.job import run
from hexad.verifier.scorer import Scorer

BASE = Path(__file__).parents[2] / "models" / "quickstart-base"
CONFIG = VerifierConfig(max_rollouts=16, max_tokens=64, validation_samples=2)
LIKELY, UNLIKELY = "The cart moves 32 m in 4 s.", "zqx jjv wwk"
STATUSES: dict[str, Status] = {LIKELY: "correct", UNLIKELY: "incorrect"}


def prompt(number: int) -> Prompt:
    return Prompt(
        id=f"q{number}", domain="math", source="test", revision="1", grader="math",
        prompt=[Message(role="user", content=f"What is {number} + 1?")], gold=Gold(type="int", value=str(number + 1)),
    )  # fmt: skip


def rollout(number: int, response: str) -> Rollout:
    verdict = Verdict(status=STATUSES[response], score=float(STATUSES[response] == "correct"), version="1")
    return Rollout(
        prompt_id=f"q{number}", sample=0, seed=0, response=response, finish_reason="stop", tokens=9, verdict=verdict
    )


def artifact(folder: Path, store: Path, name: str) -> str:
    """A committed tree of `folder`, as KFP hands it to the stage: its manifest."""
    manifest = commit_tree(open_store(store.as_uri()), folder, f"{store.as_uri()}/{name}", Provenance(stage=name), {})
    given = store.parent / f"{name}-artifact"
    given.mkdir()
    (given / MANIFEST).write_text(manifest.to_json())
    return str(given)


def stage(folder: Path, responses: list[str]) -> StageResult:
    """The stage after an RL run that wrote `responses`."""
    data, policy, store = folder / "data", folder / "policy", folder / "store"
    data.mkdir()
    for split in ("train", "validation"):
        write_rows(data / PROMPTS[split], [prompt(number) for number in range(4)], Prompt)
    policy.mkdir()
    shutil.copytree(BASE, policy / MODEL)
    write_rows(policy / ROLLOUTS, [rollout(i % 4, response) for i, response in enumerate(responses)], Rollout)
    context = Context(run="test", store=store.as_uri(), work=str(folder / "work"))
    inputs = {"data": artifact(data, store, "curate"), "policy": artifact(policy, store, "rlvr")}
    return run(CONFIG, context, inputs)


def test_the_fitted_verifier_tells_what_the_rollouts_taught(tmp_path: Path) -> None:
    made = stage(tmp_path, [LIKELY, UNLIKELY] * 8)
    tree = fetch_tree(open_store((tmp_path / "store").as_uri()), made.manifest, tmp_path / "tree")
    question = prompt(7).prompt
    right, wrong = Scorer(tree / MODEL).score([question] * 2, [LIKELY, UNLIKELY])
    assert right > 0.5 > wrong
    found = json.loads((tree / "calibration.json").read_text())
    assert found["enabled"]
    assert sum(bin_["count"] for bin_ in found["bins"]) == 8  # two samples of each of four validation questions


@pytest.mark.parametrize(("response", "missing"), [(UNLIKELY, "right"), (LIKELY, "wrong")])
def test_rollouts_of_one_kind_make_no_verifier_and_the_card_says_which_is_missing(
    response: str, missing: str, tmp_path: Path
) -> None:
    made = stage(tmp_path, [response] * 8)
    assert made.metrics == {"enabled": 0.0}
    assert f"none of the newest 8 rollouts is {missing}" in made.card
    assert MODEL not in {entry.path.partition("/")[0] for entry in made.manifest.files}
