"""A bundle in the model registry: once per digest, whatever breaks on the way, from the command line and in a run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from stub_model_registry import PREFIX, TOKEN, StubModelRegistry, serving
from typer.testing import CliRunner

from hexad.cli.main import app
from hexad.pipelines.compile import compile_pipeline
from hexad.pipelines.ir_lint import lint
from hexad.pipelines.profile import Profile, load_profile
from hexad.pipelines.recipe import Recipe
from hexad.pipelines.settings import box_settings
from hexad.records import MANIFEST, Bundle, Manifest, Provenance, Score, Speculation, StageSummary, Summary
from hexad.registry.api import Exists, RegistryApi, RegistryError, Unavailable, connect
from hexad.registry.entry import Entry, Origin, entry_of
from hexad.registry.job import main
from hexad.registry.registration import register
from hexad.stage.artifact import Settings
from hexad.stage.context import Context
from hexad.storage import commit_tree, open_store

SCORE = Score(mean=0.75, ci95=(0.7, 0.8), questions=100, samples=400, mean_tokens=120.0, truncated=0.0)
SCORES = {"rlvr": {"all": SCORE}}
BUNDLE = Bundle(
    name="tiny", target="t" * 64, draft=None, verifier="v" * 64, chat_template_sha256="c" * 64, max_model_len=768,
    speculation=Speculation(method="ngram", num_speculative_tokens=4, lossless=True),
)  # fmt: skip


@pytest.fixture
def stub() -> Iterator[StubModelRegistry]:
    with serving(StubModelRegistry()) as running:
        yield running


@pytest.fixture
def api(stub: StubModelRegistry) -> RegistryApi:
    return connect(stub.host, {})


@pytest.fixture
def bundle(tmp_path: Path) -> Manifest:
    """A bundle as the serve stage commits it."""
    return tree(tmp_path, "serve", {"bundle.json": BUNDLE.model_dump_json()}, speedup=1.5, acceptance_length=2.5)


def tree(folder: Path, stage: str, files: dict[str, str], **metadata: Any) -> Manifest:
    source = folder / "made" / stage
    source.mkdir(parents=True)
    for name, text in files.items():
        (source / name).write_text(text)
    uri = f"file://{folder}/store/{stage}/1"
    provenance = Provenance(stage=stage, git="abc", image="hexad/serve@sha256:1")
    return commit_tree(open_store(uri), source, uri, provenance, metadata)


def entry(manifest: Manifest, **changes: Any) -> Entry:
    origin = Origin(run_id="run-7", namespace="team", run="tiny")
    return entry_of(manifest, BUNDLE, SCORES, origin, "promote").model_copy(update=changes)


def put(stub: StubModelRegistry, manifest: Manifest, **changes: Any) -> Any:
    return register(entry(manifest, **changes), connect(stub.host, {}), sleep=lambda _: None)


def test_a_bundle_becomes_a_version_of_its_model_with_digest_scores_and_run(
    stub: StubModelRegistry, bundle: Manifest
) -> None:
    assert put(stub, bundle).created
    (model,), (version,), (artifact,) = stub.models, stub.versions, stub.artifacts
    assert model["name"] == "tiny"
    assert (version["name"], version["registeredModelId"]) == (bundle.short, model["id"])
    properties = version["customProperties"]
    assert properties["digest"] == {"metadataType": "MetadataStringValue", "string_value": bundle.digest}
    assert properties["score.rlvr.all"] == {"metadataType": "MetadataDoubleValue", "double_value": 0.75}
    assert {key: value.get("string_value", value.get("double_value")) for key, value in properties.items()} == {
        "digest": bundle.digest, "target": "t" * 64, "verifier": "v" * 64, "git": "abc", "gate": "promote",
        "image": "hexad/serve@sha256:1", "run_id": "run-7", "speculation": "ngram", "speedup": 1.5,
        "acceptance_length": 2.5, "score.rlvr.all": 0.75,
    }  # fmt: skip
    assert (artifact["uri"], artifact["artifactType"], artifact["modelFormatName"]) == (
        bundle.uri, "model-artifact", "hexad-bundle",
    )  # fmt: skip
    assert (artifact["modelSourceKind"], artifact["modelSourceGroup"], artifact["modelSourceId"]) == (
        "kfp", "team", "run-7",
    )  # fmt: skip


def test_the_same_bundle_again_is_the_same_version_and_writes_nothing(
    stub: StubModelRegistry, bundle: Manifest
) -> None:
    first = put(stub, bundle)
    stub.asked.clear()
    second = put(stub, bundle)
    assert (second.version_id, second.artifact_id, second.created) == (first.version_id, first.artifact_id, False)
    assert {method for method, _ in stub.asked} == {"GET"}


def test_scores_of_a_later_evaluation_reach_the_version_that_is_there(
    stub: StubModelRegistry, bundle: Manifest
) -> None:
    put(stub, bundle)
    put(stub, bundle, properties=entry(bundle).properties | {"score.rlvr.all": 0.5})
    (version,) = stub.versions
    assert version["customProperties"]["score.rlvr.all"]["double_value"] == 0.5
    assert version["customProperties"]["digest"]["string_value"] == bundle.digest


def test_another_bundle_of_that_name_is_another_version(stub: StubModelRegistry, bundle: Manifest) -> None:
    put(stub, bundle)
    assert put(stub, bundle, version="another").created
    assert (len(stub.models), len(stub.versions), len(stub.artifacts)) == (1, 2, 2)


@pytest.mark.parametrize("path", ["/registered_models", "/model_versions", "/artifacts"])
@pytest.mark.parametrize("done", [False, True], ids=["not done", "done all the same"])
def test_an_error_of_the_server_makes_nothing_twice(
    stub: StubModelRegistry, bundle: Manifest, path: str, done: bool
) -> None:
    stub.faults.append(("POST", path, 503, done))
    put(stub, bundle)
    assert (len(stub.models), len(stub.versions), len(stub.artifacts)) == (1, 1, 1)


def test_a_registration_that_broke_off_is_completed(stub: StubModelRegistry, bundle: Manifest) -> None:
    stub.faults += [("POST", "/artifacts", 503, False)] * 4
    with pytest.raises(Unavailable):
        put(stub, bundle)
    assert stub.artifacts == []
    assert not put(stub, bundle).created
    assert len(stub.artifacts) == 1


def test_two_at_once_end_in_one_version(stub: StubModelRegistry, bundle: Manifest) -> None:
    stub.faults.append(("GET", "/model_version", 404, False))
    put(stub, bundle, version="first")
    stub.faults.append(("GET", "/model_version", 404, False))  # the other one is not there yet when we look
    assert not put(stub, bundle, version="first").created
    assert len(stub.versions) == 1


def test_a_name_that_stays_taken_by_something_we_cannot_see_is_an_error(
    stub: StubModelRegistry, bundle: Manifest
) -> None:
    stub.faults += [("GET", "/registered_model", 404, False), ("POST", "/registered_models", 409, False)] * 4
    with pytest.raises(Exists, match="HTTP 409"):
        put(stub, bundle)


@pytest.mark.parametrize(
    ("url", "says"),
    [("http://127.0.0.1:1", "no answer"), ("ftp://x", "is no URL; write https://")],
)
def test_a_registry_that_is_not_there_is_named(bundle: Manifest, url: str, says: str) -> None:
    with pytest.raises((RegistryError, ValueError), match=says):
        register(entry(bundle), connect(url, {}), sleep=lambda _: None)


def test_an_address_with_the_apis_prefix_is_the_same_address(stub: StubModelRegistry) -> None:
    assert connect(f"{stub.host}{PREFIX}/", {}).get("/registered_model", name="tiny") is None


def test_a_login_page_is_not_taken_for_an_answer(stub: StubModelRegistry, bundle: Manifest) -> None:
    stub.page = True
    with pytest.raises(RegistryError, match="is answered by a page, not by the API"):
        put(stub, bundle)


def hexad(stub: StubModelRegistry, *arguments: str) -> Result:
    done = CliRunner().invoke(app, ["register", *arguments, "--registry", stub.host])
    assert TOKEN not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_the_command_registers_a_bundle_by_its_uri_with_the_scores_tree_that_it_is_given(
    stub: StubModelRegistry, bundle: Manifest, tmp_path: Path
) -> None:
    measured = {"scores": {"rlvr": {"all": SCORE.model_dump(mode="json")}}, "deltas": []}
    scores = tree(tmp_path, "scores", {"scores.json": json.dumps(measured)})
    done = hexad(stub, bundle.uri, "--scores", scores.uri, "--run-id", "run-7")
    assert done.output == f"tiny {bundle.short}: registered (model 1, version 1)\n{bundle.uri}\n"
    assert stub.versions[0]["customProperties"]["score.rlvr.all"]["double_value"] == 0.75
    again = hexad(stub, bundle.uri)
    assert (again.exit_code, "was registered already" in again.output) == (0, True)


def run_folder(tmp_path: Path, bundle: Manifest, decision: str) -> str:
    gate = tree(tmp_path, "gate", {"decision.json": "{}"}, decision=decision)
    stages = {
        name: StageSummary(seconds=1, status="done", manifest=found.uri)
        for name, found in (("serve", bundle), ("gate", gate))
    }
    summary = Summary(recipe="tiny", seed=1, git="abc", stages=stages, scores=SCORES, deltas=[], verifier=None,
                      speculative=None, contamination={})  # fmt: skip
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "summary.json").write_text(summary.to_json())
    return str(folder)


def test_a_runs_folder_knows_bundle_scores_and_decision(
    stub: StubModelRegistry, bundle: Manifest, tmp_path: Path
) -> None:
    assert hexad(stub, run_folder(tmp_path, bundle, "promote")).exit_code == 0
    properties = stub.versions[0]["customProperties"]
    assert properties["gate"]["string_value"] == "promote"
    assert properties["score.rlvr.all"]["double_value"] == 0.75


def test_a_run_that_the_gate_holds_back_is_registered_only_when_asked_to(
    stub: StubModelRegistry, bundle: Manifest, tmp_path: Path
) -> None:
    folder = run_folder(tmp_path, bundle, "hold")
    refused = hexad(stub, folder)
    assert refused.exit_code == 2
    assert "the gate holds this run back; give --held" in refused.output
    assert stub.versions == []
    assert hexad(stub, folder, "--held").exit_code == 0
    assert stub.versions[0]["customProperties"]["gate"]["string_value"] == "hold"


def test_a_token_is_sent_and_never_told(
    stub: StubModelRegistry, bundle: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.token = TOKEN
    refused = hexad(stub, bundle.uri)
    assert refused.exit_code == 1
    assert "HTTP 401" in refused.output
    assert "give a token that may write there (HEXAD_REGISTRY_TOKEN)" in refused.output
    monkeypatch.setenv("HEXAD_REGISTRY_TOKEN", TOKEN)
    assert hexad(stub, bundle.uri).exit_code == 0
    stub.token = "another"
    assert hexad(stub, bundle.uri).exit_code == 1  # the server repeats the token; the message does not


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no/such/run"], "neither a bundle nor a finished run"),
        (["file:///no/such/bundle"], "no committed bundle"),
        (["file:///no/such", "--scores", "runs/x"], "--scores runs/x: is no store URI"),
    ],
)
def test_bad_input_ends_with_2(stub: StubModelRegistry, arguments: list[str], says: str) -> None:
    done = hexad(stub, *arguments)
    assert done.exit_code == 2
    assert says in done.output


def artifact(folder: Path, manifest: Manifest) -> str:
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(manifest.to_json())
    return str(folder)


@pytest.mark.parametrize("decision", ["promote", "hold"])
def test_a_run_registers_what_its_gate_promotes_and_nothing_else(
    stub: StubModelRegistry, bundle: Manifest, tmp_path: Path, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXAD_RUN_ID", "run-9")
    measured = {"scores": {"rlvr": {"all": SCORE.model_dump(mode="json")}}, "deltas": []}
    trees = {
        "bundle": bundle,
        "scores": tree(tmp_path, "scores", {"scores.json": json.dumps(measured)}),
        "gate": tree(tmp_path, "gate", {"decision.json": "{}"}, decision=decision),
    }
    folders = [artifact(tmp_path / "artifacts" / name, manifest) for name, manifest in trees.items()]
    settings = Settings(config={"url": stub.host}, context=Context(run="tiny", store=f"file://{tmp_path}/store"))
    main(settings.model_dump_json(), *folders, str(tmp_path / "card.md"))
    said = (tmp_path / "card.md").read_text()
    assert len(stub.versions) == (1 if decision == "promote" else 0)
    if decision == "promote":
        assert said == f"# Register\n\nRegistered: tiny {bundle.short} (model 1, version 1).\n"
        assert stub.artifacts[0]["modelSourceId"] == "run-9"
    else:
        assert said == "# Register\n\nNot registered: the gate says hold.\n"


@pytest.mark.parametrize("registry", ["", "http://registry.example.com"])
def test_the_pipeline_registers_only_where_the_profile_names_a_registry(tmp_path: Path, registry: str) -> None:
    recipe = Recipe.model_validate({"name": "test", "seed": 7, "curate": {"base": {"kind": "random"}}})
    values = load_profile(Path("profiles/kind.yaml")).model_dump(mode="json") | {"model_registry": registry}
    profile = Profile.model_validate(values)
    target = compile_pipeline(box_settings(recipe, profile), profile, tmp_path / "pipeline.yaml")
    pipeline, platform = filter(None, yaml.safe_load_all(target.read_text()))
    executors = {"exec-register"} & set(pipeline["deploymentSpec"]["executors"])
    assert bool(executors) == bool(registry)
    assert lint(pipeline, platform, cluster=True, mutable_images=True) == []
