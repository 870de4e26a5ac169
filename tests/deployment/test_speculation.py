"""Speculation that the engine would reject, or that nobody proved, is refused before anything starts."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from hexad.deployment.speculation import ENGINE_METHODS, MAX_TOKENS, ModelFacts, model_facts, speculation_problems
from hexad.records import Bundle

ROWS = [json.loads(line) for line in Path(__file__).with_name("speculation.jsonl").read_text().splitlines()]
MODEL = Path(__file__).parents[2] / "models" / "quickstart-base"
MODEL_FACTS = {"vocab_size": 100, "positions": 512, "tokenizer": "a"}
BUNDLE = {
    "name": "k", "target": "1", "draft": "2", "verifier": None, "chat_template_sha256": "0", "max_model_len": 512,
}  # fmt: skip
SPECULATION = {"method": "draft_model", "num_speculative_tokens": 3, "lossless": True}


def facts(row: dict[str, Any], name: str) -> ModelFacts | None:
    change = row.get(name, {})
    return None if change is None else ModelFacts.model_validate(MODEL_FACTS | change)


def bundle(row: dict[str, Any]) -> Bundle:
    change = row.get("speculation", {})
    speculation = None if change is None else SPECULATION | change
    return Bundle.model_validate(BUNDLE | row.get("bundle", {}) | {"speculation": speculation})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_each_problem_is_named_once_and_nothing_else(row: dict[str, Any]) -> None:
    found = speculation_problems(bundle(row), facts(row, "target"), facts(row, "draft"))
    assert len(found) == len(row["says"]), found
    assert all(says in problem for says, problem in zip(row["says"], found, strict=True)), found


def test_every_message_names_a_mend() -> None:
    messages = [m for row in ROWS for m in speculation_problems(bundle(row), facts(row, "target"), facts(row, "draft"))]
    assert messages
    mend = re.compile(r"; (run|use|lower|pad|train|make)\b|run the serve stage again")
    assert [m for m in messages if not mend.search(m)] == []


def test_the_methods_are_those_of_the_installed_engine() -> None:
    vllm = pytest.importorskip("importlib.util").find_spec("vllm")
    if vllm is None:
        pytest.skip("no vLLM here")
    source = Path(vllm.submodule_search_locations[0])
    # Read, not imported: that would take seconds. `MTPModelTypes` lists old names of mtp.
    text = (source / "config" / "speculative.py").read_text()
    quoted = set(re.findall(r'"([a-z0-9_]+)"', text[text.index("NgramGPUTypes") : text.index("RejectionSampleMethod")]))
    assert quoted | {"mtp"} == ENGINE_METHODS
    assert f"MAX_SPEC_LEN = {MAX_TOKENS}" in (source / "v1" / "sample" / "rejection_sampler.py").read_text()


def test_facts_of_a_real_model() -> None:
    found = model_facts(MODEL)
    config = json.loads((MODEL / "config.json").read_bytes())
    assert found is not None
    assert (found.vocab_size, found.positions) == (config["vocab_size"], config["max_position_embeddings"])
    assert found.tokenizer is not None


def test_a_tokenizer_with_two_ids_exchanged_is_another_one(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(MODEL / name, tmp_path / name)
    same = model_facts(tmp_path)
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_bytes())
    vocabulary = tokenizer["model"]["vocab"]
    first, second = list(vocabulary)[-2:]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert same == model_facts(MODEL)
    assert model_facts(tmp_path) != same


def test_a_folder_without_config_has_no_facts(tmp_path: Path) -> None:
    assert model_facts(tmp_path) is None


def test_a_config_that_is_not_one_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"hidden_size": 8}')
    with pytest.raises(ValueError, match=r"config\.json: not a model's config \(KeyError: 'vocab_size'\)"):
        model_facts(tmp_path)
