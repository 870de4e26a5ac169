"""The spec of an endpoint: what it refuses, how a bundle becomes one, and the engine's command line."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hexad.deployment.bundle import engine_of, speculation_of
from hexad.deployment.endpoint import Endpoint, endpoint_of, engine_command
from hexad.deployment.settings import response_tokens
from hexad.deployment.site import Site
from hexad.deployment.stack import engine
from hexad.pipelines.recipe import load_recipe
from hexad.records import Bundle, FileEntry, Manifest, Provenance, Speculation

from .plans import CLUSTERS, plan

RECIPES = Path(__file__).parents[2] / "recipes"
REFUSED = [json.loads(line) for line in Path(__file__).with_name("refused.jsonl").read_text().splitlines()]
BUNDLE = Bundle(
    name="qwen2.5-7b",
    target="t",
    draft="d",
    verifier=None,
    chat_template_sha256="",
    max_model_len=4096,
    engine={"max_model_len": 4096, "dtype": "bfloat16", "candidates": 5},
    speculation=Speculation(method="draft_model", num_speculative_tokens=3, lossless=True),
)
MANIFEST = Manifest(
    uri="s3://hexad/bundles/qwen2.5-7b/abc",
    files=[FileEntry(path=f"{part}/model.safetensors", bytes=100, sha256="") for part in ("target", "draft")],
    provenance=Provenance(stage="serve"),
)
ENDPOINT = {
    "name": "hexad",
    "bundle": {"uri": "s3://hexad/x", "digest": "0" * 64, "bytes": 1},
    "engine": {"max_model_len": 512},
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["says"])
def test_a_spec_that_cannot_work_is_refused_with_the_mend(case: dict[str, Any]) -> None:
    record = {"endpoint": Endpoint, "site": Site}[case["record"]]
    good: dict[str, Any] = ENDPOINT if record is Endpoint else {"allow_anonymous": True}
    with pytest.raises(ValidationError) as refused:
        record.model_validate(good | case["change"])
    assert case["says"] in str(refused.value)


def test_a_bundle_tells_all_that_an_endpoint_needs() -> None:
    found = endpoint_of(BUNDLE, MANIFEST)
    assert found.name == "qwen2-5-7b"
    assert found.bundle.model_dump() == {
        "uri": MANIFEST.uri, "digest": MANIFEST.digest, "bytes": 200, "draft": True, "verifier": False,
    }  # fmt: skip
    assert (found.engine.dtype, found.gateway.candidates) == ("bfloat16", 5)
    assert found.speculation == BUNDLE.speculation
    assert found.candidate_tokens == 2048


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.yaml")), ids=lambda file: file.stem)
def test_what_a_run_leaves_behind_answers_at_the_length_that_it_was_evaluated_at(file: Path) -> None:
    recipe = load_recipe(file)
    assert response_tokens(recipe.serve.engine.max_model_len) >= recipe.evaluate.max_tokens


@pytest.mark.parametrize(("context", "response"), [(1, 1), (512, 256), (8192, 4096), (8193, 4097), (69632, 65536)])
def test_a_response_leaves_half_of_a_short_context_and_4096_tokens_of_a_long_one(context: int, response: int) -> None:
    assert response_tokens(context) == response


def test_a_bundle_in_a_folder_of_this_machine_is_refused() -> None:
    with pytest.raises(ValidationError, match="uri"):
        endpoint_of(BUNDLE, MANIFEST.model_copy(update={"uri": "file:///somewhere"}))


def test_a_cpu_pod_runs_the_command_line_of_hexad_serve(tmp_path: Path) -> None:
    """Only place, address and the time to drain differ."""
    found = plan("kind", "quickstart")
    endpoint = endpoint_of(BUNDLE, MANIFEST)
    command = engine_command(endpoint, found.engine, found.site, found.timing)[3:]
    local = engine(tmp_path, engine_of(BUNDLE), tmp_path / "log", speculation_of(BUNDLE), threads=1)
    here = [text.replace(str(tmp_path), endpoint.folder) for text in local.arguments]
    drain = command.index("--shutdown-timeout")
    del command[drain : drain + 2]
    for name in ("--host", "--port"):
        command[command.index(name) + 1] = here[here.index(name) + 1]
    assert command == here


@pytest.mark.parametrize("cluster", ["gke", "eks", "aks", "onprem-gpu"])
def test_a_gpu_pod_splits_the_model_over_the_accelerators_that_it_asks_for(cluster: str) -> None:
    found = plan(cluster)
    command = engine_command(found.endpoint, found.engine, found.site, found.timing)
    assert command[command.index("--tensor-parallel-size") + 1] == str(found.engine.accelerators) == "2"
    assert not {"--kv-cache-memory-bytes", "--enforce-eager", "--no-enable-chunked-prefill"} & set(command)


def test_the_engine_s_draft_is_that_of_the_bundle() -> None:
    found = plan("gke")
    command = engine_command(found.endpoint, found.engine, found.site, found.timing)
    settings = json.loads(command[command.index("--speculative-config") + 1])
    assert settings == {"method": "draft_model", "num_speculative_tokens": 3, "model": f"{found.endpoint.folder}/draft"}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_every_profile_lets_nobody_in_until_it_has_a_key(cluster: str) -> None:
    site = plan(cluster).site
    assert not site.allow_anonymous
    assert site.api_key_hashes == ["0" * 64]
    assert hashlib.sha256(b"").hexdigest() not in site.api_key_hashes
