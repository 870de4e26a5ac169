"""What a profile needs of a cluster is all that its compiled objects name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hexad.pipelines.cluster_needs import needs_of
from hexad.pipelines.profile import Profile, load_profile
from hexad.pipelines.recipe import Recipe
from hexad.pipelines.settings import box_settings
from hexad.preflight.cluster.needs import ClusterNeeds, inside_a_run
from hexad.preflight.config import PreflightConfig
from hexad.stage.artifact import Settings

RECIPE = Recipe.model_validate({"name": "test", "seed": 7, "curate": {"base": {"kind": "random"}}})
PROFILES = sorted(Path("profiles").glob("*.yaml"))
BUILT_IN = ("apps", "autoscaling", "batch", "kustomize.config.k8s.io", "networking.k8s.io", "policy", "")


def objects(file: Path) -> Iterator[dict[str, Any]]:
    return (found for found in yaml.safe_load_all(file.read_text()) if found and "kind" in found)


def profile(name: str, **changes: Any) -> Profile:
    return Profile.model_validate(load_profile(Path(f"profiles/{name}.yaml")).model_dump(mode="json") | changes)


@pytest.mark.parametrize("file", sorted(Path("manifests/overlays").iterdir()), ids=lambda folder: folder.name)
def test_every_kind_that_an_operator_must_bring_is_needed(file: Path) -> None:
    wanted = {
        (group, version, f"{made['kind'].lower()}s")
        for found in file.glob("*.yaml")
        if not found.name.startswith("secrets.")  # templates, of which an operator may choose one
        for made in objects(found)
        for group, _, version in [made["apiVersion"].rpartition("/")]
        if group not in BUILT_IN
    }
    needs = needs_of(load_profile(Path(f"profiles/{file.name}.yaml")))
    assert bool(wanted) == (file.name != "kind")
    assert wanted <= {(kind.group, kind.version, kind.plural) for kind in needs.kinds}


@pytest.mark.parametrize("kserve", ["InferenceService", "LLMInferenceService"])
def test_kserve_is_needed_in_the_version_that_is_written(kserve: str) -> None:
    endpoint = load_profile(Path("profiles/kind.yaml")).model_dump(mode="json")["endpoint"] | {"kserve": kserve}
    (kind,) = needs_of(profile("kind", endpoint=endpoint)).kinds
    written = Path("components/hexad/deployment/cluster/kserve.py").read_text()
    assert f'"apiVersion": "{kind.group}/{kind.version}",\n        "kind": "{kserve}"' in written
    assert kind.plural == f"{kserve.lower()}s"


def test_secrets_are_needed_where_they_are_used() -> None:
    needs = needs_of(profile("cerebras"))
    assert [(need.name, need.namespace, need.keys) for need in needs.secrets] == [
        ("hexad-store", "", ["endpoint", "access_key", "secret_key"]),
        ("hexad-registry", "", [".dockerconfigjson"]),
        ("hexad-store", "hexad", ["endpoint", "access_key", "secret_key"]),
        ("hexad-registry", "hexad", [".dockerconfigjson"]),
        ("hexad-cerebras", "hexad", ["engine_key"]),
    ]


def test_trainjobs_and_their_runtime_are_needed_where_the_profile_has_a_trainer() -> None:
    needs = needs_of(profile("gke"))
    assert ("trainer.kubeflow.org", "v1alpha1", "trainjobs") in {(k.group, k.version, k.plural) for k in needs.kinds}
    assert [need.name for need in needs.classes if need.place == "trainer"] == ["hexad-train"]
    without = needs_of(profile("gke", trainer=False))
    assert not [need for need in (*without.kinds, *without.classes) if need.place == "trainer"]
    assert needs.service_account == "hexad-pipeline"


def test_scratch_is_looked_for_on_the_claim_or_the_nodes_but_not_where_each_task_gets_its_own() -> None:
    assert needs_of(profile("gke"), 500).scratch_gib == 500
    assert needs_of(profile("kind"), 500).scratch_gib == 500
    assert needs_of(profile("onprem-gpu"), 500).scratch_gib == 0


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.stem)
def test_preflight_gets_what_its_pod_can_judge_and_nothing_on_one_machine(file: Path) -> None:
    made = load_profile(file)
    settings = Settings.model_validate_json(box_settings(RECIPE, made)["preflight"])
    found = PreflightConfig.model_validate(settings.config).cluster
    assert found == (inside_a_run(needs_of(made)) if made.cluster else None)


def test_needs_survive_the_way_through_json() -> None:
    needs = needs_of(profile("eks"))
    assert ClusterNeeds.model_validate_json(needs.model_dump_json()) == needs
    assert needs.nodes_on_demand
